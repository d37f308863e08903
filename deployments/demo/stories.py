"""What the demo's deployments are like: how often they are deployed, by whom, and what their commits say."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Person:
    name: str

    @property
    def username(self) -> str:
        return self.name.lower().replace(" ", "-")

    @property
    def email(self) -> str:
        return f"{self.name.lower().replace(' ', '.')}@example.com"


MIRA, JONAS, PRIYA, TOM = Person("Mira Castell"), Person("Jonas Falk"), Person("Priya Nair"), Person("Tom Okafor")


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """``releases``: how many there are on an average weekday; ``environments``: their way, the last is production."""

    deployment: str
    environments: tuple[str, ...]
    issues: str
    releases: float
    failures: float
    people: tuple[Person, ...]
    branch: str = "main"
    versions: bool = False
    quiet_days: int = 0
    subjects: tuple[str, ...]
    paths: tuple[str, ...]


STORIES = (
    Story(
        deployment="storefront",
        environments=("staging", "production"),
        issues="SHOP",
        releases=2.0,
        failures=0.07,
        people=(MIRA, PRIYA, TOM),
        subjects=(
            "Show stock on the product page",
            "Load product images lazily",
            "Fix the price of bundles in the cart",
            "Keep filters when going back to a list",
            "Translate the size guide",
            "Remember the last shipping country",
            "Fix the layout of reviews on small screens",
            "Cache category trees for a minute",
            "Remove the old wish list",
            "Update dependencies",
            "Let customers sort by rating",
            "Say when a sale ends",
        ),
        paths=(
            "web/product/page.py",
            "web/product/gallery.py",
            "web/cart/prices.py",
            "web/lists/filters.py",
            "templates/product.html",
            "static/css/reviews.css",
            "web/db/categories.py",
            "requirements.txt",
            "Dockerfile",
        ),
    ),
    Story(
        deployment="checkout",
        environments=("staging", "production"),
        issues="SHOP",
        releases=1.2,
        failures=0.04,
        people=(JONAS, PRIYA),
        subjects=(
            "Retry card payments that time out",
            "Validate postcodes of the Channel Islands",
            "Round taxes as the authorities do",
            "Do not ask twice for the phone number",
            "Log why a payment was declined",
            "Add invoices to the confirmation mail",
            "Fix vouchers that cover the whole order",
            "Store addresses once",
            "Update dependencies",
        ),
        paths=(
            "checkout/payments.py",
            "checkout/addresses.py",
            "checkout/taxes.py",
            "checkout/vouchers.py",
            "checkout/db/addresses.sql",
            "mails/confirmation.html",
            "requirements.txt",
        ),
    ),
    Story(
        deployment="api-gateway",
        environments=("testing", "staging", "production"),
        issues="PLAT",
        releases=0.9,
        failures=0.05,
        people=(JONAS, TOM),
        versions=True,
        subjects=(
            "Limit requests per key",
            "Answer 503 while a backend restarts",
            "Trace calls across services",
            "Drop support for the v1 routes",
            "Reload certificates without a restart",
            "Fix a leak of connections after a time-out",
            "Send Retry-After with every 429",
        ),
        paths=(
            "gateway/limits.go",
            "gateway/routes.go",
            "gateway/tls.go",
            "gateway/tracing.go",
            "gateway/Dockerfile",
            "gateway/pool_test.go",
        ),
    ),
    Story(
        deployment="billing",
        environments=("testing", "staging", "production"),
        issues="BILL",
        releases=0.6,
        failures=0.03,
        people=(PRIYA, JONAS),
        branch="release/2",
        subjects=(
            "Charge yearly plans pro rata",
            "Send dunning mails on weekdays only",
            "Export invoices for the tax office",
            "Fix the currency of credit notes",
            "Close accounts at the end of the month",
            "Index invoices by customer",
        ),
        paths=(
            "billing/plans.py",
            "billing/dunning.py",
            "billing/migration/0042_invoice_index.py",
            "billing/exports.py",
            "billing/requirements.txt",
        ),
    ),
    Story(
        deployment="infrastructure",
        environments=("testing", "production"),
        issues="PLAT",
        releases=0.5,
        failures=0.02,
        people=(TOM, MIRA),
        # Nobody touched it lately, so that something in the demo is stale.
        quiet_days=16,
        subjects=(
            "Grow the database disks",
            "Move logs to the cheaper storage class",
            "Rotate the keys of the backup bucket",
            "Raise the node pool's limit",
            "Close port 22 to the world",
        ),
        paths=("network/main.tf", "database/disks.tf", "storage/logs.tf", "cluster/nodes.tf"),
    ),
)
