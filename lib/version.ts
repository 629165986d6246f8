/** The library's version. A test checks that it equals the version in the manifests. */
export const VERSION = "0.1.0";
