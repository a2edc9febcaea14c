const container = document.getElementById("document");

SwaggerUIBundle({
    domNode: container,
    url: container.dataset.url,
    deepLinking: true,
    displayRequestDuration: true,
    tryItOutEnabled: true,
    validatorUrl: null, // the validator is another server's
});
