// Answers apps that ask whether their session is still the same (OpenID Connect Session Management 1.0 section 3.2).
// An app posts "client_id session_state"; the answer is "unchanged", "changed", or "error" for what cannot be read.
// SHA-256 (FIPS 180-4) is written out here: the browser's own is there over https only, and answers too late for some.
"use strict";

(function () {
  var cookieName = document.body.getAttribute("data-cookie");

  function firstPrimes(count) {
    var primes = [];
    for (var candidate = 2; primes.length < count; candidate += 1) {
      if (primes.every(function (prime) { return candidate % prime !== 0; })) {
        primes.push(candidate);
      }
    }
    return primes;
  }

  // The first 32 bits of the fractional part.
  function fraction(value) {
    return Math.floor((value - Math.floor(value)) * 4294967296) | 0;
  }

  function rotate(word, bits) {
    return (word >>> bits) | (word << (32 - bits));
  }

  var primes = firstPrimes(64);
  var constants = primes.map(function (prime) { return fraction(Math.pow(prime, 1 / 3)); });
  var initial = primes.slice(0, 8).map(function (prime) { return fraction(Math.sqrt(prime)); });

  function padded(text) {
    var bytes = unescape(encodeURIComponent(text));
    var length = ((bytes.length + 8) >> 6) * 16 + 16;
    var words = [];
    for (var at = 0; at < length; at += 1) { words.push(0); }
    for (var index = 0; index < bytes.length; index += 1) {
      words[index >> 2] |= bytes.charCodeAt(index) << (24 - (index % 4) * 8);
    }
    words[bytes.length >> 2] |= 0x80 << (24 - (bytes.length % 4) * 8);
    words[length - 1] = bytes.length * 8;
    return words;
  }

  function schedule(block) {
    var words = block.slice();
    for (var at = 16; at < 64; at += 1) {
      var early = words[at - 15], late = words[at - 2];
      var first = rotate(early, 7) ^ rotate(early, 18) ^ (early >>> 3);
      var second = rotate(late, 17) ^ rotate(late, 19) ^ (late >>> 10);
      words.push((words[at - 16] + first + words[at - 7] + second) | 0);
    }
    return words;
  }

  function compress(state, block) {
    var words = schedule(block), s = state.slice();
    for (var at = 0; at < 64; at += 1) {
      var sum1 = rotate(s[4], 6) ^ rotate(s[4], 11) ^ rotate(s[4], 25);
      var choice = (s[4] & s[5]) ^ (~s[4] & s[6]);
      var first = (s[7] + sum1 + choice + constants[at] + words[at]) | 0;
      var sum0 = rotate(s[0], 2) ^ rotate(s[0], 13) ^ rotate(s[0], 22);
      var majority = (s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]);
      s = [(first + sum0 + majority) | 0, s[0], s[1], s[2], (s[3] + first) | 0, s[4], s[5], s[6]];
    }
    return state.map(function (word, index) { return (word + s[index]) | 0; });
  }

  function sha256(text) {
    var words = padded(text), state = initial;
    for (var at = 0; at < words.length; at += 16) {
      state = compress(state, words.slice(at, at + 16));
    }
    return state.map(function (word) { return ("0000000" + (word >>> 0).toString(16)).slice(-8); }).join("");
  }

  function browserState() {
    var found = document.cookie.split("; ").filter(function (pair) {
      return pair.indexOf(cookieName + "=") === 0;
    });
    return found.length ? found[0].slice(cookieName.length + 1) : "";
  }

  function judge(message, origin) {
    if (typeof message !== "string") { return "error"; }
    var space = message.lastIndexOf(" ");
    var state = message.slice(space + 1), dot = state.indexOf(".");
    if (space < 1 || dot < 1 || dot === state.length - 1) { return "error"; }
    var salt = state.slice(dot + 1);
    var expected = sha256([message.slice(0, space), origin, browserState(), salt].join(" ")) + "." + salt;
    return expected === state ? "unchanged" : "changed";
  }

  window.addEventListener("message", function (event) {
    if (event.source && event.origin && event.origin !== "null") {
      event.source.postMessage(judge(event.data, event.origin), event.origin);
    }
  });
})();
