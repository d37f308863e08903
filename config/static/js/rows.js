// Rows of a list by keyboard: j and k move, Enter opens, c copies the sha, / goes to the search.

const rows = () => [...document.querySelectorAll("[data-row]")];

function select(row) {
  document.querySelector("[data-row].selected")?.classList.remove("selected");
  row.classList.add("selected");
  row.querySelector("a[href]")?.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}

function move(step) {
  const all = rows();
  const at = all.findIndex((row) => row.classList.contains("selected"));
  const next = all[Math.min(Math.max(at + step, 0), all.length - 1)];
  if (next) {
    select(next);
  }
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select")) {
    return;
  }
  const selected = document.querySelector("[data-row].selected");
  if (event.key === "j") {
    move(1);
  } else if (event.key === "k") {
    move(-1);
  } else if (event.key === "c") {
    selected?.querySelector("[data-copy-text]")?.click();
  } else if (event.key === "/") {
    const search = document.querySelector("[data-search]");
    if (search) {
      event.preventDefault();
      search.focus();
    }
  }
});
