/** What `--version` prints and every node reports in its state. A test holds it to the package's own version. */
export const PRODUCT_VERSION = '0.1.0';
