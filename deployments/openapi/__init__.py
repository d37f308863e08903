"""The API's documentation: the OpenAPI document, the published schemas, and the pages made of them."""
