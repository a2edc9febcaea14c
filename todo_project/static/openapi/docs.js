const place = document.getElementById("document");

SwaggerUIBundle({
    domNode: place,
    url: place.dataset.address,
    deepLinking: true,
    displayRequestDuration: true,
    tryItOutEnabled: true,
    validatorUrl: null, // it would send the document elsewhere
});
