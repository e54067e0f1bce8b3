"""The register: records, words and rules of the district (lowest floor)."""
