// Envoy's route messages (config.route.v3): RDS, VHDS and what a virtual host is made of.
export * from "./gen/envoy/config/route/v3/route_components_pb.js";
export { type RouteConfiguration, RouteConfigurationSchema, type Vhds, VhdsSchema } from "./gen/envoy/config/route/v3/route_pb.js";
export {
  type PreviousHostsPredicate,
  PreviousHostsPredicateSchema,
} from "./gen/envoy/extensions/retry/host/previous_hosts/v3/previous_hosts_pb.js";
export {
  type PreviousPrioritiesConfig,
  PreviousPrioritiesConfigSchema,
} from "./gen/envoy/extensions/retry/priority/previous_priorities/v3/previous_priorities_config_pb.js";
