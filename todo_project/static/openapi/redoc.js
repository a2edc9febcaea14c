const container = document.getElementById("document");

// ReDoc's logo would load from its vendor's server. Without a URL ReDoc omits it.
const image = HTMLImageElement.prototype;
const withoutVendor = (url) => (url.startsWith("https:") ? "" : url);
const { set } = Object.getOwnPropertyDescriptor(image, "src");
Object.defineProperty(image, "src", {
    set(url) {
        set.call(this, withoutVendor(url));
    },
});
image.setAttribute = function (name, value) {
    Element.prototype.setAttribute.call(this, name, name === "src" ? withoutVendor(value) : value);
};

// The search starts a worker from a blob, which the page's Content-Security-Policy forbids.
Redoc.init(container.dataset.url, { disableSearch: true }, container);
