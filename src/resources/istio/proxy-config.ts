// ProxyConfig, the resource (https://istio.io/latest/docs/reference/config/networking/proxy-config/).
import { int32, map, obj, str } from "../schema/schema.ts";
import { matchLabelsSelector } from "./selectors.ts";

export const proxyConfigSchema = obj({
  selector: matchLabelsSelector,
  concurrency: int32({ min: 0 }),
  environmentVariables: map(str({ max: 2048 })),
  image: obj({ imageType: str() }),
});
