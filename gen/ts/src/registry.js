import { createRegistry } from "@bufbuild/protobuf";
import { file_org_project_planton_cluster_v1_lifecycle } from "./org/project_planton/cluster/v1/lifecycle_pb.js";
import { file_org_project_planton_cluster_v1_status } from "./org/project_planton/cluster/v1/status_pb.js";
import { file_org_project_planton_shared_kubernetes_v1_rules } from "./org/project_planton/shared/kubernetes/v1/rules_pb.js";
import { file_org_project_planton_cluster_v1_cluster } from "./org/project_planton/cluster/v1/cluster_pb.js";
import { file_org_project_planton_cluster_v1_method } from "./org/project_planton/cluster/v1/method_pb.js";
import { file_org_project_planton_cluster_v1_service } from "./org/project_planton/cluster/v1/service_pb.js";
import { file_org_project_planton_nodepool_v1_event } from "./org/project_planton/nodepool/v1/event_pb.js";
import { file_org_project_planton_nodepool_v1_platform } from "./org/project_planton/nodepool/v1/platform_pb.js";
import { file_org_project_planton_nodepool_v1_nodepool } from "./org/project_planton/nodepool/v1/nodepool_pb.js";
import { file_org_project_planton_nodepool_v1_service } from "./org/project_planton/nodepool/v1/service_pb.js";
import { file_org_project_planton_policy_v1_policy } from "./org/project_planton/policy/v1/policy_pb.js";
import { file_org_project_planton_provider_civo_v1_rules } from "./org/project_planton/provider/civo/v1/rules_pb.js";
import { file_org_project_planton_shared_cloudresourcekind_cloud_resource_provider } from "./org/project_planton/shared/cloudresourcekind/cloud_resource_provider_pb.js";
import { file_org_project_planton_shared_cloudresourcekind_cloud_resource_kind } from "./org/project_planton/shared/cloudresourcekind/cloud_resource_kind_pb.js";
import { file_org_project_planton_shared_foreignkey_v1_foreign_key } from "./org/project_planton/shared/foreignkey/v1/foreign_key_pb.js";
import { file_org_project_planton_provider_civo_civofirewall_v1_spec } from "./org/project_planton/provider/civo/civofirewall/v1/spec_pb.js";
import { file_org_project_planton_provider_civo_civofirewall_v1_stack_outputs } from "./org/project_planton/provider/civo/civofirewall/v1/stack_outputs_pb.js";
import { file_org_project_planton_shared_relationship_v1_relationship } from "./org/project_planton/shared/relationship/v1/relationship_pb.js";
import { file_org_project_planton_shared_metadata } from "./org/project_planton/shared/metadata_pb.js";
import { file_org_project_planton_provider_civo_civofirewall_v1_api } from "./org/project_planton/provider/civo/civofirewall/v1/api_pb.js";
import { file_org_project_planton_shared_options_options } from "./org/project_planton/shared/options/options_pb.js";
import { file_org_project_planton_provider_civo_region } from "./org/project_planton/provider/civo/region_pb.js";
import { file_org_project_planton_provider_civo_provider } from "./org/project_planton/provider/civo/provider_pb.js";
import { file_org_project_planton_provider_civo_civofirewall_v1_stack_input } from "./org/project_planton/provider/civo/civofirewall/v1/stack_input_pb.js";
import { file_org_project_planton_provider_civo_civokubernetesnodepool_v1_spec } from "./org/project_planton/provider/civo/civokubernetesnodepool/v1/spec_pb.js";
import { file_org_project_planton_provider_civo_civokubernetescluster_v1_spec } from "./org/project_planton/provider/civo/civokubernetescluster/v1/spec_pb.js";
import { file_org_project_planton_provider_civo_civokubernetescluster_v1_stack_outputs } from "./org/project_planton/provider/civo/civokubernetescluster/v1/stack_outputs_pb.js";
import { file_org_project_planton_provider_civo_civokubernetescluster_v1_api } from "./org/project_planton/provider/civo/civokubernetescluster/v1/api_pb.js";
import { file_org_project_planton_provider_civo_civokubernetescluster_v1_stack_input } from "./org/project_planton/provider/civo/civokubernetescluster/v1/stack_input_pb.js";
import { file_org_project_planton_provider_civo_civokubernetesnodepool_v1_stack_outputs } from "./org/project_planton/provider/civo/civokubernetesnodepool/v1/stack_outputs_pb.js";
import { file_org_project_planton_provider_civo_civokubernetesnodepool_v1_api } from "./org/project_planton/provider/civo/civokubernetesnodepool/v1/api_pb.js";
import { file_org_project_planton_provider_civo_civokubernetesnodepool_v1_stack_input } from "./org/project_planton/provider/civo/civokubernetesnodepool/v1/stack_input_pb.js";
import { file_org_project_planton_provider_civo_civovpc_v1_spec } from "./org/project_planton/provider/civo/civovpc/v1/spec_pb.js";
import { file_org_project_planton_provider_civo_civovpc_v1_stack_outputs } from "./org/project_planton/provider/civo/civovpc/v1/stack_outputs_pb.js";
import { file_org_project_planton_provider_civo_civovpc_v1_api } from "./org/project_planton/provider/civo/civovpc/v1/api_pb.js";
import { file_org_project_planton_provider_civo_civovpc_v1_stack_input } from "./org/project_planton/provider/civo/civovpc/v1/stack_input_pb.js";
import { file_org_project_planton_provider_digitalocean_v1_rules } from "./org/project_planton/provider/digitalocean/v1/rules_pb.js";
import { file_org_project_planton_provider_digitalocean_digitaloceankubernetesnodepool_v1_spec } from "./org/project_planton/provider/digitalocean/digitaloceankubernetesnodepool/v1/spec_pb.js";
import { file_org_project_planton_provider_digitalocean_region } from "./org/project_planton/provider/digitalocean/region_pb.js";
import { file_org_project_planton_provider_digitalocean_digitaloceankubernetescluster_v1_spec } from "./org/project_planton/provider/digitalocean/digitaloceankubernetescluster/v1/spec_pb.js";
import { file_org_project_planton_provider_digitalocean_digitaloceankubernetescluster_v1_stack_outputs } from "./org/project_planton/provider/digitalocean/digitaloceankubernetescluster/v1/stack_outputs_pb.js";
import { file_org_project_planton_provider_digitalocean_digitaloceankubernetescluster_v1_api } from "./org/project_planton/provider/digitalocean/digitaloceankubernetescluster/v1/api_pb.js";
import { file_org_project_planton_provider_digitalocean_provider } from "./org/project_planton/provider/digitalocean/provider_pb.js";
import { file_org_project_planton_provider_digitalocean_digitaloceankubernetescluster_v1_stack_input } from "./org/project_planton/provider/digitalocean/digitaloceankubernetescluster/v1/stack_input_pb.js";
import { file_org_project_planton_provider_digitalocean_digitaloceankubernetesnodepool_v1_stack_outputs } from "./org/project_planton/provider/digitalocean/digitaloceankubernetesnodepool/v1/stack_outputs_pb.js";
import { file_org_project_planton_provider_digitalocean_digitaloceankubernetesnodepool_v1_api } from "./org/project_planton/provider/digitalocean/digitaloceankubernetesnodepool/v1/api_pb.js";
import { file_org_project_planton_provider_digitalocean_digitaloceankubernetesnodepool_v1_stack_input } from "./org/project_planton/provider/digitalocean/digitaloceankubernetesnodepool/v1/stack_input_pb.js";
import { file_org_project_planton_provider_digitalocean_digitaloceanvpc_v1_spec } from "./org/project_planton/provider/digitalocean/digitaloceanvpc/v1/spec_pb.js";
import { file_org_project_planton_provider_digitalocean_digitaloceanvpc_v1_stack_outputs } from "./org/project_planton/provider/digitalocean/digitaloceanvpc/v1/stack_outputs_pb.js";
import { file_org_project_planton_provider_digitalocean_digitaloceanvpc_v1_api } from "./org/project_planton/provider/digitalocean/digitaloceanvpc/v1/api_pb.js";
import { file_org_project_planton_provider_digitalocean_digitaloceanvpc_v1_stack_input } from "./org/project_planton/provider/digitalocean/digitaloceanvpc/v1/stack_input_pb.js";
import { file_org_project_planton_shared_iac } from "./org/project_planton/shared/iac_pb.js";
import { file_org_project_planton_shared_iac_pulumi_pulumi } from "./org/project_planton/shared/iac/pulumi/pulumi_pb.js";
import { file_org_project_planton_shared_iac_terraform_terraform } from "./org/project_planton/shared/iac/terraform/terraform_pb.js";

/**
 * All messages, enums, services and extensions of this package.
 *
 * @generated by protoc-gen-registry
 */
export const registry = createRegistry(
  file_org_project_planton_cluster_v1_lifecycle,
  file_org_project_planton_cluster_v1_status,
  file_org_project_planton_shared_kubernetes_v1_rules,
  file_org_project_planton_cluster_v1_cluster,
  file_org_project_planton_cluster_v1_method,
  file_org_project_planton_cluster_v1_service,
  file_org_project_planton_nodepool_v1_event,
  file_org_project_planton_nodepool_v1_platform,
  file_org_project_planton_nodepool_v1_nodepool,
  file_org_project_planton_nodepool_v1_service,
  file_org_project_planton_policy_v1_policy,
  file_org_project_planton_provider_civo_v1_rules,
  file_org_project_planton_shared_cloudresourcekind_cloud_resource_provider,
  file_org_project_planton_shared_cloudresourcekind_cloud_resource_kind,
  file_org_project_planton_shared_foreignkey_v1_foreign_key,
  file_org_project_planton_provider_civo_civofirewall_v1_spec,
  file_org_project_planton_provider_civo_civofirewall_v1_stack_outputs,
  file_org_project_planton_shared_relationship_v1_relationship,
  file_org_project_planton_shared_metadata,
  file_org_project_planton_provider_civo_civofirewall_v1_api,
  file_org_project_planton_shared_options_options,
  file_org_project_planton_provider_civo_region,
  file_org_project_planton_provider_civo_provider,
  file_org_project_planton_provider_civo_civofirewall_v1_stack_input,
  file_org_project_planton_provider_civo_civokubernetesnodepool_v1_spec,
  file_org_project_planton_provider_civo_civokubernetescluster_v1_spec,
  file_org_project_planton_provider_civo_civokubernetescluster_v1_stack_outputs,
  file_org_project_planton_provider_civo_civokubernetescluster_v1_api,
  file_org_project_planton_provider_civo_civokubernetescluster_v1_stack_input,
  file_org_project_planton_provider_civo_civokubernetesnodepool_v1_stack_outputs,
  file_org_project_planton_provider_civo_civokubernetesnodepool_v1_api,
  file_org_project_planton_provider_civo_civokubernetesnodepool_v1_stack_input,
  file_org_project_planton_provider_civo_civovpc_v1_spec,
  file_org_project_planton_provider_civo_civovpc_v1_stack_outputs,
  file_org_project_planton_provider_civo_civovpc_v1_api,
  file_org_project_planton_provider_civo_civovpc_v1_stack_input,
  file_org_project_planton_provider_digitalocean_v1_rules,
  file_org_project_planton_provider_digitalocean_digitaloceankubernetesnodepool_v1_spec,
  file_org_project_planton_provider_digitalocean_region,
  file_org_project_planton_provider_digitalocean_digitaloceankubernetescluster_v1_spec,
  file_org_project_planton_provider_digitalocean_digitaloceankubernetescluster_v1_stack_outputs,
  file_org_project_planton_provider_digitalocean_digitaloceankubernetescluster_v1_api,
  file_org_project_planton_provider_digitalocean_provider,
  file_org_project_planton_provider_digitalocean_digitaloceankubernetescluster_v1_stack_input,
  file_org_project_planton_provider_digitalocean_digitaloceankubernetesnodepool_v1_stack_outputs,
  file_org_project_planton_provider_digitalocean_digitaloceankubernetesnodepool_v1_api,
  file_org_project_planton_provider_digitalocean_digitaloceankubernetesnodepool_v1_stack_input,
  file_org_project_planton_provider_digitalocean_digitaloceanvpc_v1_spec,
  file_org_project_planton_provider_digitalocean_digitaloceanvpc_v1_stack_outputs,
  file_org_project_planton_provider_digitalocean_digitaloceanvpc_v1_api,
  file_org_project_planton_provider_digitalocean_digitaloceanvpc_v1_stack_input,
  file_org_project_planton_shared_iac,
  file_org_project_planton_shared_iac_pulumi_pulumi,
  file_org_project_planton_shared_iac_terraform_terraform,
);
