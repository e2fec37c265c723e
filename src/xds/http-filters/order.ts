// HTTP filters in the order in which a request meets them (Istio pilot/pkg/networking/core/listener_builder.go). One literal array:
// a filter that is not built for a proxy is left out of its place, never moved.
import { create, HttpFilterSchema, type HttpFilter, packAny, RouterSchema } from "../../envoy-api/index.ts";

const ORDER = ["envoy.filters.http.router"] as const;

function buildFilter(name: (typeof ORDER)[number]): HttpFilter {
  switch (name) {
    case "envoy.filters.http.router":
      return create(HttpFilterSchema, { name, configType: { case: "typedConfig", value: packAny(RouterSchema, create(RouterSchema)) } });
  }
}

export function buildHttpFilters(): HttpFilter[] {
  return ORDER.map(buildFilter);
}
