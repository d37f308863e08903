// Rows of a list by keyboard: j and k move, Enter opens, c copies the sha, / goes to the search.

const rows = () => [...document.querySelectorAll("[data-row]")];
const selected = () => document.querySelector("[data-row].selected");

function select(row) {
  selected()?.classList.remove("selected");
  row.classList.add("selected");
  row.querySelector("a[href]")?.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}

function move(step) {
  const all = rows();
  const at = all.indexOf(selected());
  const next = all[Math.min(Math.max(at + step, 0), all.length - 1)];
  if (next) {
    select(next);
  }
}

const KEYS = {
  j: () => move(1),
  k: () => move(-1),
  c: () => selected()?.querySelector("[data-copy-text]")?.click(),
  "/": () => document.querySelector("[data-search]")?.focus(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) {
    return;
  }
  if (event.target.closest("input, textarea, select")) {
    if (event.key === "Escape" && event.target.matches("[data-search]")) {
      event.target.blur();
    }
    return;
  }
  if (event.key in KEYS) {
    event.preventDefault();
    KEYS[event.key]();
  }
});

// A list that is replaced keeps the row that was selected, by its id; before it settles, htmx sets classes itself.
let kept;
document.addEventListener("htmx:beforeSwap", () => {
  kept = selected()?.id;
});
document.addEventListener("htmx:afterSettle", () => {
  document.getElementById(kept)?.classList.add("selected");
  kept = undefined;
});
