// What a branch mapping means, in words that follow what one types.

function explain(row) {
  const match = row.querySelector("[data-branch-match]").value;
  const branch = row.querySelector("[data-branch]");
  row.querySelector("[data-branch-words]").textContent = row.dataset[match].replace("{}", branch.value.trim() || "…");
  row.querySelector("[data-branch-field]").hidden = match === "any";
}

for (const row of document.querySelectorAll("[data-branch-row]")) {
  row.addEventListener("input", () => explain(row));
  explain(row);
}
