package main

import (
	"fmt"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"project-planton.org/gen/go/org/project_planton/provider/civo"
	"project-planton.org/gen/go/org/project_planton/provider/digitalocean"
)

// buildStackInput returns the stack input of a manifest: the manifest, and the account that the environment names.
func buildStackInput(target proto.Message, environment func(string) string) (proto.Message, error) {
	kind, err := protoregistry.GlobalTypes.FindMessageByName(target.ProtoReflect().Descriptor().FullName() + "StackInput")
	if err != nil {
		return nil, err
	}
	input := kind.New()
	fields := kind.Descriptor().Fields()
	input.Set(fields.ByName("target"), protoreflect.ValueOfMessage(target.ProtoReflect()))
	switch config := input.Mutable(fields.ByName("provider_config")).Message().Interface().(type) {
	case *civo.CivoProviderConfig:
		config.ApiToken = environment("CIVO_TOKEN")
		config.DefaultRegion = civo.CivoRegion(civo.CivoRegion_value[environment("REGION")])
		err = accountGiven("CIVO_TOKEN", config.ApiToken, config.DefaultRegion)
	case *digitalocean.DigitalOceanProviderConfig:
		config.ApiToken = environment("DIGITALOCEAN_TOKEN")
		config.DefaultRegion = digitalocean.DigitalOceanRegion(digitalocean.DigitalOceanRegion_value[environment("REGION")])
		err = accountGiven("DIGITALOCEAN_TOKEN", config.ApiToken, config.DefaultRegion)
	default:
		err = fmt.Errorf("%s is of a provider that is not known here", kind.Descriptor().Name())
	}
	return input.Interface(), err
}

// accountGiven returns an error where the environment has no token, or no region that there is.
func accountGiven(variable, token string, region protoreflect.Enum) error {
	if token == "" {
		return fmt.Errorf("$%s is not set: put the token of your account there", variable)
	}
	if region.Number() == 0 {
		values := region.Descriptor().Values()
		return fmt.Errorf("$REGION does not name a region: set it to one such as %s", values.Get(1).Name())
	}
	return nil
}
