"""What users write questions with: conditions and expressions, as plain data."""
