"""Impact sources, and the incidents and metric values that they report."""
