// Package manifest reads manifests: YAML text in, valid messages out.
package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"unicode/utf8"

	"buf.build/go/protovalidate"
	"github.com/goccy/go-yaml"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	// A kind is known when its package is there.
	_ "project-planton.org/gen/go/org/project_planton/provider/civo/civofirewall/v1"
	_ "project-planton.org/gen/go/org/project_planton/provider/civo/civokubernetescluster/v1"
	_ "project-planton.org/gen/go/org/project_planton/provider/civo/civokubernetesnodepool/v1"
	_ "project-planton.org/gen/go/org/project_planton/provider/civo/civovpc/v1"
	_ "project-planton.org/gen/go/org/project_planton/provider/digitalocean/digitaloceankubernetescluster/v1"
	_ "project-planton.org/gen/go/org/project_planton/provider/digitalocean/digitaloceankubernetesnodepool/v1"
	_ "project-planton.org/gen/go/org/project_planton/provider/digitalocean/digitaloceanvpc/v1"
	_ "project-planton.org/gen/go/org/project_planton/provider/gcp/gcpgkecluster/v1"
	_ "project-planton.org/gen/go/org/project_planton/provider/gcp/gcpgkenodepool/v1"
)

// Violation is a rule that a message breaks.
type Violation struct {
	// Field is the path of the field, as in spec.taints[0].key; empty for the whole message.
	Field string
	// Rule is the rule's id.
	Rule string
	// Message says what must hold.
	Message string
}

// Read returns the one manifest of a YAML text, as a message of its kind. Rules are not checked.
func Read(text []byte) (proto.Message, error) {
	data, err := decode(text)
	if err != nil {
		return nil, err
	}
	var head struct {
		Kind string `json:"kind"`
	}
	if err := json.Unmarshal(data, &head); err != nil || head.Kind == "" {
		return nil, errors.New("there is no kind: a manifest has the keys apiVersion, kind, metadata and spec")
	}
	kind := find(head.Kind)
	if kind == nil {
		return nil, fmt.Errorf("there is no kind %q: see docs/reference/kinds for those there are", head.Kind)
	}
	message := kind.New().Interface()
	return message, unmarshal(data, message)
}

// Parse reads one YAML document into a message, strictly: what the message has no field for is an error.
func Parse(text []byte, message proto.Message) error {
	data, err := decode(text)
	if err != nil {
		return err
	}
	return unmarshal(data, message)
}

// Check returns the rules that a message breaks; none where it is valid. An error means that the rules could not be evaluated.
func Check(message proto.Message) ([]Violation, error) {
	err := protovalidate.Validate(message)
	var invalid *protovalidate.ValidationError
	if !errors.As(err, &invalid) {
		return nil, err
	}
	var found []Violation
	for _, one := range invalid.Violations {
		found = append(found, Violation{
			Field:   protovalidate.FieldPathString(one.Proto.GetField()),
			Rule:    one.Proto.GetRuleId(),
			Message: one.Proto.GetMessage(),
		})
	}
	return found, nil
}

// place is where protojson found an error: in JSON that nobody has written.
var place = regexp.MustCompile(`^proto:.\(line \d+:\d+\): `)

// unmarshal reads the JSON of a YAML text.
func unmarshal(data []byte, message proto.Message) error {
	if err := protojson.Unmarshal(data, message); err != nil {
		return errors.New(place.ReplaceAllString(err.Error(), ""))
	}
	return nil
}

// decode returns the JSON of a YAML text of one document.
func decode(text []byte) ([]byte, error) {
	if !utf8.Valid(text) {
		return nil, errors.New("the file is not UTF-8 text")
	}
	documents := yaml.NewDecoder(bytes.NewReader(text))
	var content, more any
	if err := documents.Decode(&content); errors.Is(err, io.EOF) {
		return nil, errors.New("the file is empty")
	} else if err != nil {
		return nil, errors.New(yaml.FormatError(err, false, false)) // without the lines around it
	}
	if err := documents.Decode(&more); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is more than one document: put each into a file of its own")
	}
	return json.Marshal(content)
}

// find returns the type of a kind's manifests, nil where no package has it. A kind is a message of its name with a manifest's fields.
func find(kind string) protoreflect.MessageType {
	var found protoreflect.MessageType
	protoregistry.GlobalTypes.RangeMessages(func(one protoreflect.MessageType) bool {
		described := one.Descriptor()
		if string(described.Name()) == kind && isManifest(described.Fields()) {
			found = one
		}
		return found == nil
	})
	return found
}

func isManifest(fields protoreflect.FieldDescriptors) bool {
	for _, name := range []protoreflect.Name{"api_version", "kind", "metadata", "spec", "status"} {
		if fields.ByName(name) == nil {
			return false
		}
	}
	return true
}
