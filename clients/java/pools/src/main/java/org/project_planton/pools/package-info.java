/** A program of your own in Java: manifests and stack inputs as messages, node pools through the API. */
package org.project_planton.pools;
