// Items of a list dragged into another order; the form around the list then posts the order. Buttons in it do the same
// by keyboard and without JavaScript.

let dragged = null;
let before = [];

const itemsOf = (list) => [...list.children];

function enable(root) {
  for (const item of root.querySelectorAll("[data-reorder] > [data-item]")) {
    item.draggable = true;
    item.querySelector(".grip").hidden = false;
  }
}

document.addEventListener("dragstart", (event) => {
  const item = event.target.closest?.("[data-reorder] > [data-item]");
  if (!item) {
    return;
  }
  dragged = item;
  before = itemsOf(item.parentElement);
  item.classList.add("dragged");
  event.dataTransfer.effectAllowed = "move";
  event.dataTransfer.setData("text/plain", item.textContent.trim());
});

document.addEventListener("dragover", (event) => {
  const item = event.target.closest("[data-item]");
  if (!dragged || item?.parentElement !== dragged.parentElement) {
    return;
  }
  event.preventDefault();
  if (item !== dragged) {
    const box = item.getBoundingClientRect();
    item[event.clientY < box.top + box.height / 2 ? "before" : "after"](dragged);
  }
});

document.addEventListener("drop", (event) => {
  if (dragged) {
    event.preventDefault();
  }
});

document.addEventListener("dragend", (event) => {
  if (!dragged) {
    return;
  }
  const list = dragged.parentElement;
  dragged.classList.remove("dragged");
  dragged = null;
  if (event.dataTransfer.dropEffect === "none") {
    list.append(...before);
  } else if (itemsOf(list).some((item, index) => item !== before[index])) {
    list.closest("form").requestSubmit();
  }
});

enable(document);
document.addEventListener("htmx:load", (event) => enable(event.target.parentElement ?? event.target));
