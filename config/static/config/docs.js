"use strict";

// The page of the API. A token that is given here is kept nowhere but in this page.
const place = document.getElementById("docs");
const prefersDark = matchMedia("(prefers-color-scheme: dark)");

const paint = () => document.documentElement.classList.toggle("dark-mode", prefersDark.matches);

// A signed-in browser writes with the CSRF token; a bearer needs none.
const withCsrf = (request) => {
  const own = new URL(request.url, location.href).origin === location.origin;
  if (own && place.dataset.csrf && !["GET", "HEAD"].includes(request.method ?? "GET")) {
    request.headers["X-CSRFToken"] = place.dataset.csrf;
  }
  return request;
};

paint();
prefersDark.addEventListener("change", paint);

SwaggerUIBundle({
  url: place.dataset.schema,
  domNode: place,
  presets: [SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
  validatorUrl: null,
  deepLinking: true,
  displayRequestDuration: true,
  filter: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  requestInterceptor: withCsrf,
});
