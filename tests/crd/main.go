// Crd asks the API server's own libraries about custom resource definitions: whether they accept them, and what they make of manifests.
//
//	crd DEFINITIONS VECTORS
//
// DEFINITIONS is a folder of definitions in YAML, VECTORS a file as tests/vectors/README.md describes it. What was found goes to
// standard output as JSON: the faults of each definition by its kind, and an answer to each vector.
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

// vector is what this program needs of a vector.
type vector struct {
	Name    string          `json:"name"`
	Message string          `json:"message"`
	JSON    json.RawMessage `json:"json"`
	YAML    string          `json:"yaml"`
}

// answer is what the API server would make of a vector.
type answer struct {
	Name string `json:"name"`
	// Why it is refused, beside its metadata.
	Refused []string `json:"refused"`
	// What is wrong with its metadata by Kubernetes' own rules.
	Metadata []string `json:"metadata"`
	// Fields of metadata that Kubernetes does not have: refused, or dropped, as the one who writes asks for.
	Unknown []string `json:"unknown"`
}

// definition is what the API server makes of a definition.
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
	faults, known := map[string][]string{}, map[string]*definition{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		fail(err)
		name, found, wrong := read(data)
		faults[name], known[name] = wrong, found
	}
	data, err := os.ReadFile(os.Args[2])
	fail(err)
	var vectors []vector
	fail(json.Unmarshal(data, &vectors))
	answers := []answer{}
	for _, each := range vectors {
		parts := strings.Split(each.Message, ".")
		if found := known[parts[len(parts)-1]]; found != nil {
			answers = append(answers, found.judge(each))
		}
	}
	written, err := json.MarshalIndent(map[string]any{"definitions": faults, "answers": answers}, "", " ")
	fail(err)
	fmt.Println(string(written))
}

// fail ends the program where there is an error.
func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "crd:", err)
		os.Exit(2)
	}
}

// read returns the kind of a definition, what judges its resources, and what is wrong with it; with faults there is no judge.
func read(data []byte) (string, *definition, []string) {
	given := &apiextensionsv1.CustomResourceDefinition{}
	fail(yaml.UnmarshalStrict(data, given))
	apiextensionsv1.SetDefaults_CustomResourceDefinition(given)
	apiextensionsv1.SetDefaults_CustomResourceDefinitionSpec(&given.Spec)
	crd := &apiextensions.CustomResourceDefinition{}
	fail(apiextensionsv1.Convert_v1_CustomResourceDefinition_To_apiextensions_CustomResourceDefinition(given, crd, nil))
	// The API server keeps the versions that have been stored in the status, which a new definition has not.
	crd.Status.StoredVersions = []string{given.Spec.Versions[0].Name}
	if wrong := texts(crdvalidation.ValidateCustomResourceDefinition(context.Background(), crd)); len(wrong) > 0 {
		return given.Spec.Names.Kind, nil, wrong
	}
	openapi := &apiextensions.JSONSchemaProps{}
	version := given.Spec.Versions[0]
	fail(apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(version.Schema.OpenAPIV3Schema, openapi, nil))
	structural, err := schema.NewStructural(openapi)
	fail(err)
	validator, _, err := apivalidation.NewSchemaValidator(openapi)
	fail(err)
	rules := cel.NewValidator(structural, true, celconfig.PerCallLimit)
	return given.Spec.Names.Kind, &definition{given.Spec.Group + "/" + version.Name, structural, validator, rules}, []string{}
}

// judge does with a manifest what the API server does with a resource that is created: it reads, defaults, and validates.
func (d *definition) judge(each vector) answer {
	found := answer{Name: each.Name, Refused: []string{}, Metadata: []string{}, Unknown: []string{}}
	data := []byte(each.JSON)
	if len(data) == 0 {
		converted, err := yaml.YAMLToJSON([]byte(each.YAML))
		fail(err)
		data = converted
	}
	object := map[string]any{}
	fail(utiljson.Unmarshal(data, &object))
	if object["apiVersion"] != d.apiVersion {
		found.Refused = append(found.Refused, fmt.Sprintf("apiVersion: no matches for %v", object["apiVersion"]))
	}
	meta, _, unknown, err := objectmeta.GetObjectMetaWithOptions(object, objectmeta.ObjectMetaOptions{ReturnUnknownFieldPaths: true})
	if err != nil {
		found.Metadata = append(found.Metadata, err.Error())
	}
	for _, path := range unknown {
		found.Unknown = append(found.Unknown, strings.TrimPrefix(path, "metadata."))
	}
	if meta == nil || meta.Name == "" {
		found.Refused = append(found.Refused, "metadata.name: Required value")
	} else {
		if meta.Namespace == "" {
			meta.Namespace = "default"
		}
		found.Metadata = append(found.Metadata, texts(metavalidation.ValidateObjectMetaAccessor(
			meta, true, metavalidation.NameIsDNSSubdomain, field.NewPath("metadata")))...)
	}
	found.Refused = append(found.Refused, d.check(object)...)
	return found
}

// check returns what is wrong with a resource by its schema and rules.
func (d *definition) check(object map[string]any) []string {
	refused := []string{}
	// What kubectl asks for: fields that nobody knows are errors.
	options := schema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true}
	for _, path := range pruning.PruneWithOptions(object, d.schema, true, options) {
		refused = append(refused, fmt.Sprintf("unknown field %q", path))
	}
	defaulting.PruneNonNullableNullsWithoutDefaults(object, d.schema)
	defaulting.Default(object, d.schema)
	wrong := apivalidation.ValidateCustomResource(nil, object, d.validator)
	wrong = append(wrong, listtype.ValidateListSetsAndMaps(nil, d.schema, object)...)
	if len(wrong) == 0 {
		// Rules are asked only where types and bounds are kept, so that they need not check these.
		more, _ := d.rules.Validate(context.Background(), nil, d.schema, object, nil, celconfig.RuntimeCELCostBudget)
		wrong = append(wrong, more...)
	}
	return append(refused, texts(wrong)...)
}

// texts returns errors as they are shown.
func texts(wrong field.ErrorList) []string {
	found := []string{}
	for _, each := range wrong {
		found = append(found, each.Error())
	}
	return found
}
