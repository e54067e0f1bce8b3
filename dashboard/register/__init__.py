"""The register as it leaves the bureau's desk."""
