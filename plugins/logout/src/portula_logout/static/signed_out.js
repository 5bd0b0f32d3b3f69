// Goes on once: when every frame has loaded, and at the latest after the seconds that the page says. Without scripts the
// page does it by a refresh, which stands in <noscript>: some browsers would follow both.
"use strict";

(function () {
  var onward = document.getElementById("logout-continue");
  var timer = window.setTimeout(goOn, onward.getAttribute("data-seconds") * 1000);

  function goOn() {
    window.clearTimeout(timer);
    window.removeEventListener("load", goOn);
    window.location.replace(onward.href);
  }

  window.addEventListener("load", goOn);
})();
