package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"

	nodepoolv1 "project-planton.org/gen/go/org/project_planton/nodepool/v1"
)

const (
	// tries is how often a change is tried while others write first.
	tries = 5
	// pause is how long the first retry waits at most; chance keeps writers from meeting again.
	pause = 50 * time.Millisecond
	// interval is the time between two looks at a pool.
	interval = time.Second
	// deadline ends a call that the server does not answer.
	deadline = `{"methodConfig": [{"name": [{}], "timeout": "30s"}]}`
)

// create creates the node pool of a JSON body.
func create(ctx context.Context, out io.Writer, arguments []string) error {
	file := arguments[0]
	body, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	pool := &nodepoolv1.NewNodePool{}
	if err := protojson.Unmarshal(body, pool); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if err := check(file, pool); err != nil {
		return err
	}
	return call(ctx, func(ctx context.Context, api nodepoolv1.NodePoolServiceClient) error {
		answer, err := api.CreateNodePool(ctx, &nodepoolv1.CreateNodePoolRequest{NodePool: pool})
		if err != nil {
			return err
		}
		return printMessage(out, answer.GetNodePool())
	})
}

// scale sets a pool's number of nodes, whatever else changes it meanwhile.
func scale(ctx context.Context, out io.Writer, arguments []string) error {
	id := arguments[0]
	count, err := strconv.ParseInt(arguments[1], 10, 32)
	if err != nil {
		return fmt.Errorf("COUNT must be a number of nodes, and is %q", arguments[1])
	}
	return call(ctx, func(ctx context.Context, api nodepoolv1.NodePoolServiceClient) error {
		for tried := 1; ; tried++ {
			pool, err := setCount(ctx, api, id, int32(count))
			if err == nil {
				return printMessage(out, pool)
			}
			// Aborted: somebody else wrote first. What they wrote is read, and the count set in that.
			if status.Code(err) != codes.Aborted || tried == tries {
				return err
			}
			time.Sleep(rand.N(pause * time.Duration(tried)))
		}
	})
}

// setCount changes the number of nodes of a pool as it is now. Where another writes it in between, nothing is changed.
func setCount(ctx context.Context, api nodepoolv1.NodePoolServiceClient, id string, count int32) (*nodepoolv1.NodePool, error) {
	read, err := api.GetNodePool(ctx, &nodepoolv1.GetNodePoolRequest{Id: id})
	if err != nil {
		return nil, err
	}
	pool := read.GetNodePool()
	pool.GetSpec().NodeCount = &count
	answer, err := api.UpdateNodePool(ctx, &nodepoolv1.UpdateNodePoolRequest{
		Id:       id,
		NodePool: &nodepoolv1.NodePoolUpdate{Spec: pool.GetSpec(), ResourceVersion: pool.GetResourceVersion()},
	})
	return answer.GetNodePool(), err
}

// phase is what watch prints of a pool.
type phase struct {
	Phase      string `json:"phase"`
	Generation int64  `json:"generation"`
}

// watch prints a pool's phase and generation at each change, until it is Ready.
func watch(ctx context.Context, out io.Writer, arguments []string) error {
	return call(ctx, func(ctx context.Context, api nodepoolv1.NodePoolServiceClient) error {
		for shown := (phase{}); ; time.Sleep(interval) {
			answer, err := api.GetNodePool(ctx, &nodepoolv1.GetNodePoolRequest{Id: arguments[0]})
			if err != nil {
				return err
			}
			pool := answer.GetNodePool()
			found := phase{pool.GetStatus().GetPhase(), pool.GetGeneration()}
			if found != shown {
				if err := printJSON(out, found); err != nil {
					return err
				}
				shown = found
			}
			if found.Phase == "Ready" {
				return nil
			}
		}
	})
}

// call gives do a client of the server that the environment names, and a context that says who asks.
func call(ctx context.Context, do func(context.Context, nodepoolv1.NodePoolServiceClient) error) error {
	address := os.Getenv("PLANTON_API_GRPC")
	if address == "" {
		address = "127.0.0.1:9090"
	}
	if file := os.Getenv("PLANTON_API_TOKEN_FILE"); file != "" {
		token, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("$PLANTON_API_TOKEN_FILE: %w", err)
		}
		ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+strings.TrimSpace(string(token)))
	} else if user := os.Getenv("PLANTON_API_USER"); user != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, "x-user-email", user)
	}
	// The server itself speaks plain text; TLS is the work of a proxy before it.
	connection, err := grpc.NewClient(
		address, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDefaultServiceConfig(deadline),
	)
	if err != nil {
		return fmt.Errorf("$PLANTON_API_GRPC: %w", err)
	}
	defer connection.Close()
	return explained(do(ctx, nodepoolv1.NewNodePoolServiceClient(connection)), address)
}

// explained returns an error of a call as one line that says what is wrong and what to do.
func explained(err error, address string) error {
	answer, ok := status.FromError(err)
	if err == nil || !ok {
		return err
	}
	line, known := answer.Message(), false
	var violations []string
	for _, detail := range answer.Details() {
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			known = true
			if text := detail.GetMetadata()["details"]; text != "" {
				line += ": " + text
			}
		case *errdetails.BadRequest:
			for _, one := range detail.GetFieldViolations() {
				text := fmt.Sprintf("%s: %s [%s]", one.GetField(), one.GetDescription(), one.GetReason())
				violations = append(violations, strings.TrimPrefix(text, ": "))
			}
		}
	}
	if len(violations) > 0 {
		line = answer.Message() + ": " + strings.Join(violations, "; ")
	}
	switch {
	case answer.Code() == codes.Unauthenticated:
		line += "; set PLANTON_API_USER to your email address, or PLANTON_API_TOKEN_FILE to the file of a token"
	case !known:
		line = fmt.Sprintf("no answer from %s: start it with `planton server start --grpc-port 9090`, or set PLANTON_API_GRPC (%s)", address, line)
	}
	return errors.New(line)
}
