// What is new slides into the first page of a timeline: htmx asks for them, this keeps the reader's place.

let known = new Set();

const list = () => document.getElementById("timeline");
const ids = () => [...list().querySelectorAll("[data-row]")].map((row) => row.id);

function isReading() {
  const selection = document.getSelection();
  return document.hidden || (!selection.isCollapsed && list().contains(selection.anchorNode));
}

document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.target === list() && isReading()) {
    event.preventDefault();
  }
});

document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.target === list()) {
    // Whoever was signed out meanwhile is answered with the sign-in page.
    event.detail.shouldSwap &&= event.detail.serverResponse.includes('id="timeline"');
    known = new Set(ids());
  }
});

document.addEventListener("htmx:load", (event) => {
  // At first htmx loads the page itself.
  if (event.target.id !== "timeline") {
    return;
  }
  const now = ids();
  const last = now.findLastIndex((id) => known.has(id));
  const arrived = now.slice(0, last < 0 ? now.length : last).filter((id) => !known.has(id));
  for (const id of arrived) {
    document.getElementById(id).classList.add("arrived");
  }
  if (arrived.length) {
    document.getElementById("arrivals").textContent =
      arrived.length === 1 ? "1 new entry" : `${arrived.length} new entries`;
  }
});
