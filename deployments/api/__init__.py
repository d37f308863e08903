"""What every endpoint shares: reading bodies and fields, schemas, answers, dry runs."""
