// Fields of Envoy's messages: the xDS transport. How to read it stands in ../fields.ts; the test there compares it with Envoy's API.
export const DISCOVERY = `
envoy.service.discovery.v3.DeltaDiscoveryRequest
  + node=1:envoy.config.core.v3.Node type_url=2:string resource_names_subscribe=3:string[] resource_names_unsubscribe=4:string[]
  + initial_resource_versions=5:string{} response_nonce=6:string error_detail=7:google.rpc.Status
  ! resource_locators_subscribe=8 resource_locators_unsubscribe=9
envoy.service.discovery.v3.DeltaDiscoveryResponse
  + system_version_info=1:string resources=2:envoy.service.discovery.v3.Resource[] type_url=4:string removed_resources=6:string[]
  + nonce=5:string control_plane=7:envoy.config.core.v3.ControlPlane
  ~ removed_resource_names=8
envoy.service.discovery.v3.Resource
  + name=3:string version=1:string resource=2:any
  ~ resource_name=8 aliases=4 ttl=6 cache_control=7 metadata=9
envoy.service.discovery.v3.DiscoveryRequest
  + version_info=1:string node=2:envoy.config.core.v3.Node resource_names=3:string[] type_url=4:string response_nonce=5:string
  + error_detail=6:google.rpc.Status
  ! resource_locators=7
envoy.service.discovery.v3.DiscoveryResponse
  + version_info=1:string resources=2:any[] type_url=4:string nonce=5:string control_plane=6:envoy.config.core.v3.ControlPlane
  ~ canary=3
envoy.config.core.v3.ControlPlane
  + identifier=1:string
google.rpc.Status
  + code=1:int32 message=2:string
  ~ details=3
`;
