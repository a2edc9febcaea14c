const container = document.getElementById("document");
const { url, user } = container.dataset; // only a page for a developer names a user

// The document is the same for everybody; this page fills in the user of the developer's tokens.
function withUser(text) {
    const api = JSON.parse(text);
    const { parameters, securitySchemes } = api.components;
    parameters.user_id.example = user;
    securitySchemes.BetterAuth.description += `\n\nHere, \`make token\` prints one for \`${user}\`.`;
    return JSON.stringify(api);
}

SwaggerUIBundle({
    domNode: container,
    url,
    deepLinking: true,
    displayRequestDuration: true,
    tryItOutEnabled: true,
    validatorUrl: null, // the validator is another server's
    responseInterceptor: (response) => {
        if (user && response.url === new URL(url, location).href) {
            response.text = withUser(response.text);
        }
        return response;
    },
});
