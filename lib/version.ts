/** The library's version. A test checks that the manifests have the same. */
export const VERSION = "0.1.0";
