// A part of a page that htmx asks for again and again: this keeps the reader's place and shows what has come.

const isPolling = (part) => part.matches?.("[data-polling]");
const frames = (part) => [...part.querySelectorAll(".table-frame")];
const stops = (root) => [...root.querySelectorAll("a[href], button, summary")];
const arrivals = (part) => [...part.querySelectorAll("[data-arrival]")];

let before;

function isReading(part) {
  const selection = document.getSelection();
  return document.hidden || (!selection.isCollapsed && part.contains(selection.anchorNode));
}

/** Which link or button has the focus, by its place in the nearest thing with an id. */
function focusIn(part) {
  const root = part.contains(document.activeElement) && document.activeElement.closest("[id]");
  return root && { id: root.id, index: stops(root).indexOf(document.activeElement) };
}

document.addEventListener("htmx:beforeRequest", (event) => {
  if (isPolling(event.target) && isReading(event.target)) {
    event.preventDefault();
  }
});

document.addEventListener("htmx:beforeSwap", (event) => {
  const part = event.target;
  if (!isPolling(part)) {
    return;
  }
  // Whoever was signed out meanwhile is answered with the sign-in page.
  event.detail.shouldSwap &&= event.detail.serverResponse.includes(`id="${part.id}"`);
  before = {
    id: part.id,
    focus: focusIn(part),
    scrolled: frames(part).map((frame) => frame.scrollLeft),
    known: new Set(arrivals(part).map((item) => item.dataset.arrival)),
  };
});

// At first htmx loads the page itself.
document.addEventListener("htmx:load", (event) => {
  if (!before || event.target.id !== before.id) {
    return;
  }
  const { focus, scrolled, known } = before;
  before = undefined;
  frames(event.target).forEach((frame, index) => {
    frame.scrollLeft = scrolled[index] ?? 0;
  });
  const root = focus && document.getElementById(focus.id);
  if (root) {
    stops(root)[focus.index]?.focus({ preventScroll: true });
  }
  show(event.target, known);
});

function show(part, known) {
  const now = arrivals(part);
  // What stands behind the last known one in a list of the newest has only moved up.
  const last = now.findLastIndex((item) => known.has(item.dataset.arrival));
  const counted = "newestFirst" in part.dataset && last >= 0 ? now.slice(0, last) : now;
  const arrived = counted.filter((item) => !known.has(item.dataset.arrival));
  for (const item of arrived) {
    item.classList.add("arrived");
  }
  if (arrived.length) {
    document.getElementById("arrivals").textContent = `${arrived.length} new`;
  }
}
