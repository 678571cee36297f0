// Command vectors reads the vectors of tests/vectors and writes what Go makes of them. It tests the stubs and is no part of the program.
//
// Usage: vectors IN_DIR OUT_DIR
package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"project-planton.org/clients/go/internal/manifest"
	_ "project-planton.org/gen/go/org/project_planton/nodepool/v1"
	_ "project-planton.org/gen/go/org/project_planton/work/v1"
)

// vector is a vector as far as it is read here.
type vector struct {
	Name    string          `json:"name"`
	Message string          `json:"message"`
	YAML    *string         `json:"yaml"`
	JSON    json.RawMessage `json:"json"`
	Binary  []byte          `json:"binary"`
}

// violation is a rule that a message breaks.
type violation struct {
	Field string `json:"field"`
	Rule  string `json:"rule"`
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: vectors IN_DIR OUT_DIR")
		os.Exit(2)
	}
	for _, name := range []string{"manifests.json", "stack_inputs.json", "api_bodies.json"} {
		if err := convert(filepath.Join(os.Args[1], name), filepath.Join(os.Args[2], name)); err != nil {
			fmt.Fprintln(os.Stderr, "vectors:", err)
			os.Exit(2)
		}
	}
}

// convert writes the results of a file of vectors, in their order.
func convert(from, to string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	var vectors []vector
	if err := json.Unmarshal(data, &vectors); err != nil {
		return fmt.Errorf("%s: %w", from, err)
	}
	results := make([]map[string]any, 0, len(vectors))
	for _, one := range vectors {
		results = append(results, result(one))
	}
	written, err := json.MarshalIndent(results, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(to, append(written, '\n'), 0o644)
}

// result returns what becomes of one vector; whatever goes wrong stays with it.
func result(one vector) (found map[string]any) {
	defer func() {
		if trouble := recover(); trouble != nil {
			found = map[string]any{"error": fmt.Sprint(trouble)}
		}
		found["name"] = one.Name
	}()
	found, err := read(one)
	if err != nil {
		return map[string]any{"error": err.Error()}
	}
	return found
}

// read reads each form of a vector and writes them again.
func read(one vector) (map[string]any, error) {
	kind, err := protoregistry.GlobalTypes.FindMessageByName(protoreflect.FullName(one.Message))
	if err != nil {
		return nil, err
	}
	fromYAML, fromJSON, fromBinary := kind.New().Interface(), kind.New().Interface(), kind.New().Interface()
	if one.YAML != nil && manifest.Parse([]byte(*one.YAML), fromYAML) != nil {
		return map[string]any{"unreadable": true}, nil
	}
	if err := protojson.Unmarshal(one.JSON, fromJSON); err != nil {
		return nil, err
	}
	if err := proto.Unmarshal(one.Binary, fromBinary); err != nil {
		return nil, err
	}
	if one.YAML == nil {
		fromYAML = fromJSON
	}
	asJSON, err := protojson.Marshal(fromYAML)
	if err != nil {
		return nil, err
	}
	asBinary, err := proto.MarshalOptions{Deterministic: true}.Marshal(fromBinary)
	if err != nil {
		return nil, err
	}
	violations, err := check(fromYAML)
	if err != nil {
		return nil, err
	}
	return map[string]any{
		"json":       json.RawMessage(asJSON),
		"binary":     asBinary,
		"violations": violations,
		"same":       proto.Equal(fromYAML, fromJSON) && proto.Equal(fromJSON, fromBinary),
	}, nil
}

// check returns the rules that a message breaks, by field and rule.
func check(message proto.Message) ([]violation, error) {
	broken, err := manifest.Check(message)
	found := make([]violation, 0, len(broken))
	for _, one := range broken {
		found = append(found, violation{one.Field, one.Rule})
	}
	slices.SortFunc(found, func(a, b violation) int {
		return cmp.Or(cmp.Compare(a.Field, b.Field), cmp.Compare(a.Rule, b.Rule))
	})
	return found, err
}
