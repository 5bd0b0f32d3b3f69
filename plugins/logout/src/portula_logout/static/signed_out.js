// Goes on as soon as every frame has loaded, instead of waiting for the refresh of the page.
"use strict";

(function () {
  var onward = document.getElementById("logout-continue");
  window.addEventListener("load", function () {
    window.location.replace(onward.href);
  });
})();
