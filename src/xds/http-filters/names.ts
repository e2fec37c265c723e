// Names of the HTTP filters that routes configure: a route's config is found by them.
export const FAULT_FILTER = "envoy.filters.http.fault";
export const CORS_FILTER = "envoy.filters.http.cors";
