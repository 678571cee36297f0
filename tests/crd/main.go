// Crd validates custom resource definitions, and manifests against them, with the API server's own libraries.
//
//	crd DEFINITIONS VECTORS
//
// DEFINITIONS is a folder of definitions in YAML, VECTORS a file as described in tests/vectors/README.md. The results are printed
// as JSON: the errors of each definition by its kind, and a verdict for each vector.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	crdvalidation "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/objectmeta"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	apivalidation "k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	metavalidation "k8s.io/apimachinery/pkg/api/validation"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"sigs.k8s.io/yaml"
)

// vector has the fields of a vector that this program needs.
type vector struct {
	Name    string          `json:"name"`
	Message string          `json:"message"`
	JSON    json.RawMessage `json:"json"`
	YAML    string          `json:"yaml"`
}

// verdict is the API server's result for a vector.
type verdict struct {
	Name string `json:"name"`
	// Errors, except for metadata.
	Refused []string `json:"refused"`
	// Errors of metadata by Kubernetes' own rules.
	Metadata []string `json:"metadata"`
	// Fields of metadata that Kubernetes does not have. The client decides whether they are refused or dropped.
	Unknown []string `json:"unknown"`
}

// definition has the API server's validators for a definition.
type definition struct {
	apiVersion string
	schema     *schema.Structural
	validator  apivalidation.SchemaValidator
	rules      *cel.Validator
}

func main() {
	if len(os.Args) != 3 {
		fail(fmt.Errorf("usage: crd DEFINITIONS VECTORS"))
	}
	files, err := filepath.Glob(filepath.Join(os.Args[1], "*.yaml"))
	fail(err)
	problems, definitions := map[string][]string{}, map[string]*definition{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		fail(err)
		name, parsed, errs := read(data)
		problems[name], definitions[name] = errs, parsed
	}
	data, err := os.ReadFile(os.Args[2])
	fail(err)
	var vectors []vector
	fail(json.Unmarshal(data, &vectors))
	verdicts := []verdict{}
	for _, each := range vectors {
		parts := strings.Split(each.Message, ".")
		if parsed := definitions[parts[len(parts)-1]]; parsed != nil {
			verdicts = append(verdicts, parsed.evaluate(each))
		}
	}
	output, err := json.MarshalIndent(map[string]any{"definitions": problems, "verdicts": verdicts}, "", " ")
	fail(err)
	fmt.Println(string(output))
}

// fail ends the program if there is an error.
func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "crd:", err)
		os.Exit(2)
	}
}

// read returns the kind of a definition, its validators, and its errors. An invalid definition has no validators.
func read(data []byte) (string, *definition, []string) {
	versioned := &apiextensionsv1.CustomResourceDefinition{}
	fail(yaml.UnmarshalStrict(data, versioned))
	apiextensionsv1.SetDefaults_CustomResourceDefinition(versioned)
	apiextensionsv1.SetDefaults_CustomResourceDefinitionSpec(&versioned.Spec)
	crd := &apiextensions.CustomResourceDefinition{}
	fail(apiextensionsv1.Convert_v1_CustomResourceDefinition_To_apiextensions_CustomResourceDefinition(versioned, crd, nil))
	// The API server requires the stored versions in the status, which a new definition does not have.
	crd.Status.StoredVersions = []string{versioned.Spec.Versions[0].Name}
	if errs := texts(crdvalidation.ValidateCustomResourceDefinition(context.Background(), crd)); len(errs) > 0 {
		return versioned.Spec.Names.Kind, nil, errs
	}
	openapi := &apiextensions.JSONSchemaProps{}
	version := versioned.Spec.Versions[0]
	fail(apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(version.Schema.OpenAPIV3Schema, openapi, nil))
	structural, err := schema.NewStructural(openapi)
	fail(err)
	validator, _, err := apivalidation.NewSchemaValidator(openapi)
	fail(err)
	rules := cel.NewValidator(structural, true, celconfig.PerCallLimit)
	return versioned.Spec.Names.Kind, &definition{versioned.Spec.Group + "/" + version.Name, structural, validator, rules}, []string{}
}

// evaluate handles a manifest as the API server handles a new resource: it decodes, sets defaults, and validates.
func (d *definition) evaluate(each vector) verdict {
	result := verdict{Name: each.Name, Refused: []string{}, Metadata: []string{}, Unknown: []string{}}
	data := []byte(each.JSON)
	if len(data) == 0 {
		converted, err := yaml.YAMLToJSON([]byte(each.YAML))
		fail(err)
		data = converted
	}
	object := map[string]any{}
	fail(utiljson.Unmarshal(data, &object))
	if object["apiVersion"] != d.apiVersion {
		result.Refused = append(result.Refused, fmt.Sprintf("apiVersion: no matches for %v", object["apiVersion"]))
	}
	meta, _, unknown, err := objectmeta.GetObjectMetaWithOptions(object, objectmeta.ObjectMetaOptions{ReturnUnknownFieldPaths: true})
	if err != nil {
		result.Metadata = append(result.Metadata, err.Error())
	}
	for _, path := range unknown {
		result.Unknown = append(result.Unknown, strings.TrimPrefix(path, "metadata."))
	}
	if meta == nil || meta.Name == "" {
		result.Refused = append(result.Refused, "metadata.name: Required value")
	} else {
		if meta.Namespace == "" {
			meta.Namespace = "default"
		}
		result.Metadata = append(result.Metadata, texts(metavalidation.ValidateObjectMetaAccessor(
			meta, true, metavalidation.NameIsDNSSubdomain, field.NewPath("metadata")))...)
	}
	result.Refused = append(result.Refused, d.check(object)...)
	return result
}

// check returns the errors of a resource by its schema and rules.
func (d *definition) check(object map[string]any) []string {
	refused := []string{}
	// kubectl's default: unknown fields are errors.
	options := schema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true}
	for _, path := range pruning.PruneWithOptions(object, d.schema, true, options) {
		refused = append(refused, fmt.Sprintf("unknown field %q", path))
	}
	defaulting.PruneNonNullableNullsWithoutDefaults(object, d.schema)
	defaulting.Default(object, d.schema)
	errs := apivalidation.ValidateCustomResource(nil, object, d.validator)
	errs = append(errs, listtype.ValidateListSetsAndMaps(nil, d.schema, object)...)
	if len(errs) == 0 {
		// Rules run only if types and bounds are valid, so that they need not check them.
		more, _ := d.rules.Validate(context.Background(), nil, d.schema, object, nil, celconfig.RuntimeCELCostBudget)
		errs = append(errs, more...)
	}
	return append(refused, texts(errs)...)
}

// texts returns the messages of errors.
func texts(errs field.ErrorList) []string {
	messages := []string{}
	for _, each := range errs {
		messages = append(messages, each.Error())
	}
	return messages
}
