"""Streamlit views: each reads state, calls one step and draws."""
