// Small helps on top of pages that work without them.

const UNITS = [
  ["year", 31536000],
  ["month", 2592000],
  ["day", 86400],
  ["hour", 3600],
  ["minute", 60],
];

/** "3 minutes ago" for a Date, like the server's own filter. */
export function ago(date) {
  const seconds = (Date.now() - date.getTime()) / 1000;
  for (const [unit, length] of UNITS) {
    const count = Math.floor(Math.abs(seconds) / length);
    if (count >= 1) {
      const words = `${count} ${unit}${count === 1 ? "" : "s"}`;
      return seconds < 0 ? `in ${words}` : `${words} ago`;
    }
  }
  return "just now";
}

function refreshTimes() {
  for (const time of document.querySelectorAll("time[data-relative]")) {
    time.textContent = ago(new Date(time.dateTime));
  }
}

async function copy(button) {
  const source = document.getElementById(button.dataset.copy);
  await write(button.dataset.copyText ?? source.textContent.trim());
  button.classList.add("copied");
  const label = button.querySelector("[data-label]") ?? button;
  const before = label.textContent;
  // A button that is only an icon shows by its colour what happened.
  if (!label.firstElementChild) {
    label.textContent = "Copied";
  }
  setTimeout(() => {
    button.classList.remove("copied");
    if (!label.firstElementChild) {
      label.textContent = before;
    }
  }, 1500);
}

/** To the clipboard, which a page that came by plain HTTP only reaches through a selection. */
async function write(text) {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(text);
    return;
  }
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy], [data-copy-text]");
  if (button) {
    copy(button);
    return;
  }
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) {
      menu.open = false;
    }
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  }
});

// A form that a filter submits by itself still has its button for those without JavaScript.
document.addEventListener("change", (event) => {
  event.target.closest("form[data-submit-on-change]")?.requestSubmit();
});

// What takes its time is not asked for twice.
document.addEventListener("submit", (event) => {
  const form = event.target.closest("form[data-busy]");
  const button = form && (event.submitter ?? form.querySelector("button"));
  if (!button) {
    return;
  }
  if (form.ariaBusy === "true") {
    event.preventDefault();
    return;
  }
  form.ariaBusy = "true";
  button.dataset.label = button.textContent;
  button.textContent = form.dataset.busy;
  button.setAttribute("aria-disabled", "true");
});

// The browser's Back button shows the page as it was left.
window.addEventListener("pageshow", () => {
  for (const button of document.querySelectorAll("form[data-busy] [aria-disabled]")) {
    button.form.ariaBusy = null;
    button.textContent = button.dataset.label;
    button.removeAttribute("aria-disabled");
  }
});

/** Show what works only with JavaScript. */
function reveal(root) {
  for (const part of root.querySelectorAll("[data-copy], [data-copy-text], [data-needs-keyboard]")) {
    part.hidden = false;
  }
}

// On a phone the rooms stand in a line that scrolls.
const room = document.querySelector(".rail-nav [aria-current]");
room?.parentElement.scrollTo({ left: room.offsetLeft - room.parentElement.offsetLeft - 16 });

reveal(document);
document.addEventListener("htmx:load", (event) => reveal(event.target));
setInterval(refreshTimes, 30000);
