const place = document.getElementById("document");

// Its logo would come from its vendor's server. Without an address ReDoc leaves it out.
HTMLImageElement.prototype.setAttribute = function (name, value) {
    const isElsewhere = name === "src" && value.startsWith("https:");
    Element.prototype.setAttribute.call(this, name, isElsewhere ? "" : value);
};

// The search would need a worker made of text, which the policy of the page refuses.
Redoc.init(place.dataset.address, { disableSearch: true }, place);
