// A page that the browser keeps for "back" must not show the secret again.
addEventListener("pagehide", () => {
  for (const part of document.querySelectorAll("[data-secret]")) {
    part.textContent = "It was shown once.";
  }
});
