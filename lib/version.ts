/** The library's version; a test holds it to the manifests. */
export const VERSION = "0.1.0";
