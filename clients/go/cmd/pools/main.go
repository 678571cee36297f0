// Command pools is a program of your own in Go: manifests and stack inputs as messages, node pools through the API.
//
// clients/README.md says what it does. It prints JSON, a value on a line, and ends with 0 where it is done, 1 where something is
// invalid, and 2 where something could not be read or asked.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"project-planton.org/clients/go/internal/manifest"
)

const usage = `usage: pools COMMAND

  validate FILE      read a manifest and check the rules of its kind
  stack-input FILE   print a manifest's stack input, with the token of $CIVO_TOKEN or $DIGITALOCEAN_TOKEN and the region of $REGION
  create FILE        create a node pool from a JSON body, with its cluster_id in it; print it
  scale ID COUNT     set a pool's number of nodes; print it
  watch ID           print a pool's phase at each change, until it is Ready

$PLANTON_API_GRPC is the server's address, $PLANTON_API_USER your email address, $PLANTON_API_TOKEN_FILE the file of a token.`

// command does something with its arguments and prints to out.
type command struct {
	arguments int
	run       func(ctx context.Context, out io.Writer, arguments []string) error
}

var commands = map[string]command{
	"validate":    {1, validate},
	"stack-input": {1, stackInput},
	"create":      {1, create},
	"scale":       {2, scale},
	"watch":       {1, watch},
}

// invalidError is a file that can be read and breaks rules.
type invalidError struct {
	file       string
	violations []manifest.Violation
}

// Error returns a line for each violation.
func (e *invalidError) Error() string {
	var lines []string
	for _, one := range e.violations {
		text := fmt.Sprintf("%s: %s [%s]", one.Field, one.Message, one.Rule)
		lines = append(lines, e.file+": "+strings.TrimPrefix(text, ": "))
	}
	return strings.Join(lines, "\n")
}

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
}

// run does what the arguments ask for and returns the exit code.
func run(ctx context.Context, arguments []string, out, problems io.Writer) int {
	if len(arguments) == 1 && (arguments[0] == "-h" || arguments[0] == "--help") {
		fmt.Fprintln(out, usage)
		return 0
	}
	if len(arguments) == 0 || commands[arguments[0]].arguments != len(arguments)-1 || commands[arguments[0]].run == nil {
		fmt.Fprintln(problems, usage)
		return 2
	}
	err := commands[arguments[0]].run(ctx, out, arguments[1:])
	var invalid *invalidError
	switch {
	case errors.As(err, &invalid):
		fmt.Fprintln(problems, invalid)
		return 1
	case err != nil:
		fmt.Fprintln(problems, "pools:", err)
		return 2
	}
	return 0
}

// validate reads a manifest and checks the rules of its kind.
func validate(_ context.Context, out io.Writer, arguments []string) error {
	message, err := readManifest(arguments[0])
	if err != nil {
		return err
	}
	return printJSON(out, struct {
		Kind  string `json:"kind"`
		Valid bool   `json:"valid"`
	}{string(message.ProtoReflect().Descriptor().Name()), true})
}

// stackInput prints the stack input of a manifest.
func stackInput(_ context.Context, out io.Writer, arguments []string) error {
	target, err := readManifest(arguments[0])
	if err != nil {
		return err
	}
	input, err := buildStackInput(target, os.Getenv)
	if err != nil {
		return err
	}
	if err := check(arguments[0], input); err != nil {
		return err
	}
	return printMessage(out, input)
}

// readManifest returns the valid manifest of a file.
func readManifest(file string) (proto.Message, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	message, err := manifest.Read(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return message, check(file, message)
}

// check returns an invalidError where the message of a file breaks rules.
func check(file string, message proto.Message) error {
	violations, err := manifest.Check(message)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if len(violations) > 0 {
		return &invalidError{file, violations}
	}
	return nil
}

// printMessage prints a message as ProtoJSON on one line.
func printMessage(out io.Writer, message proto.Message) error {
	data, err := protojson.Marshal(message)
	if err != nil {
		return err
	}
	var line bytes.Buffer // protojson puts spaces where it likes, so that nobody compares its text
	if err := json.Compact(&line, data); err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, line.String())
	return err
}

// printJSON prints a value as JSON on one line.
func printJSON(out io.Writer, value any) error {
	return json.NewEncoder(out).Encode(value)
}
