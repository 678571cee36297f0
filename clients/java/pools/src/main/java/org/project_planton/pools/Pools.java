package org.project_planton.pools;

import com.google.gson.JsonObject;
import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.project_planton.nodepool.v1.NewNodePool;
import org.project_planton.nodepool.v1.NodePool;

/** The command line: {@code clients/README.md} says what it does. */
public final class Pools {
  private static final String USAGE = "usage: pools validate FILE | stack-input FILE | create FILE | scale ID COUNT | watch ID";

  private final Map<String, String> environment;
  private final PrintStream out;
  private final PrintStream err;

  private Pools(Map<String, String> environment, PrintStream out, PrintStream err) {
    this.environment = environment;
    this.out = out;
    this.err = err;
  }

  /**
   * Runs the program. Exit code 0: done; 1: something is not valid; 2: something could not be read or asked.
   *
   * @param arguments the command and what it needs
   */
  public static void main(String[] arguments) {
    // JSON is UTF-8, whatever the terminal's language.
    PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
    PrintStream err = new PrintStream(new FileOutputStream(FileDescriptor.err), true, StandardCharsets.UTF_8);
    System.exit(new Pools(System.getenv(), out, err).run(List.of(arguments)));
  }

  private int run(List<String> arguments) {
    String command = arguments.isEmpty() ? "" : arguments.get(0);
    if (arguments.size() != (command.equals("scale") ? 3 : 2)) {
      return failed(USAGE);
    }
    String subject = arguments.get(1);
    try {
      return switch (command) {
        case "validate" -> validate(subject);
        case "stack-input" -> stackInput(subject);
        case "create" -> create(subject);
        case "scale" -> scale(subject, Integer.parseInt(arguments.get(2)));
        case "watch" -> watch(subject);
        default -> failed(USAGE);
      };
    } catch (PoolsException error) {
      return failed(error.getMessage());
    } catch (NumberFormatException error) {
      return failed("COUNT must be a number of nodes, and is \"%s\"".formatted(arguments.get(2)));
    } catch (StatusRuntimeException error) {
      return failed(answer(error));
    } catch (InterruptedException error) {
      Thread.currentThread().interrupt();
      return failed("interrupted");
    }
  }

  private int validate(String file) {
    Message manifest = read(file, Manifests::read);
    if (broken(file, manifest)) {
      return 1;
    }
    JsonObject found = new JsonObject();
    found.addProperty("kind", manifest.getDescriptorForType().getName());
    found.addProperty("valid", true);
    out.println(found);
    return 0;
  }

  private int stackInput(String file) {
    Message manifest = read(file, Manifests::read);
    if (broken(file, manifest)) {
      return 1;
    }
    Message input = Manifests.stackInput(manifest, environment);
    if (broken(file, input)) {
      return 1;
    }
    return printed(input);
  }

  private int create(String file) {
    NewNodePool pool = (NewNodePool) read(file, text -> Manifests.fromJson(text, NewNodePool.newBuilder()));
    if (broken(file, pool)) {
      return 1;
    }
    try (NodePools pools = new NodePools(environment)) {
      return printed(pools.create(pool));
    }
  }

  private int scale(String id, int count) {
    try (NodePools pools = new NodePools(environment)) {
      return printed(pools.scale(id, count));
    }
  }

  private int watch(String id) throws InterruptedException {
    try (NodePools pools = new NodePools(environment)) {
      pools.watch(id, this::printPhase);
      return 0;
    }
  }

  private void printPhase(NodePool pool) {
    JsonObject found = new JsonObject();
    found.addProperty("phase", pool.getStatus().getPhase());
    found.addProperty("generation", pool.getGeneration());
    out.println(found);
  }

  private int printed(Message message) {
    out.println(Manifests.json(message));
    return 0;
  }

  /** Prints the rules that a message breaks, and returns whether there are any. */
  private boolean broken(String file, Message message) {
    List<Rules.Violation> violations = Rules.violations(message);
    for (Rules.Violation one : violations) {
      err.println(file + ": " + one);
    }
    return !violations.isEmpty();
  }

  private int failed(String message) {
    err.println("pools: " + message);
    return 2;
  }

  /** Returns what is wrong and what to do, on one line. */
  private String answer(StatusRuntimeException error) {
    String line = Objects.requireNonNullElse(error.getStatus().getDescription(), error.getStatus().getCode().toString());
    String details = "";
    String violations = "";
    boolean known = false;
    try {
      for (Any detail : StatusProto.fromThrowable(error).getDetailsList()) {
        if (detail.is(ErrorInfo.class)) {
          known = true;
          details = detail.unpack(ErrorInfo.class).getMetadataOrDefault("details", "");
        } else if (detail.is(BadRequest.class)) {
          violations =
              detail.unpack(BadRequest.class).getFieldViolationsList().stream()
                  .map(one -> new Rules.Violation(one.getField(), one.getReason(), one.getDescription()).toString())
                  .collect(Collectors.joining("; "));
        }
      }
    } catch (InvalidProtocolBufferException notOurs) {
      known = false;
    }
    if (!known) {
      return "no answer from %s: start it with `planton server start --grpc-port 9090`, or set PLANTON_API_GRPC (%s)"
          .formatted(NodePools.address(environment), line);
    }
    String more = violations.isEmpty() ? details : violations;
    line += more.isEmpty() ? "" : ": " + more;
    return error.getStatus().getCode() == Status.Code.UNAUTHENTICATED
        ? line + "; set PLANTON_API_USER to your email address, or PLANTON_API_TOKEN_FILE to the file of a token"
        : line;
  }

  private static Message read(String file, Function<String, Message> reader) {
    String text;
    try {
      text = Files.readString(Path.of(file));
    } catch (IOException error) {
      throw new PoolsException("cannot read " + file + "; is it there, a text in UTF-8, and yours to read?", error);
    }
    try {
      return reader.apply(text);
    } catch (PoolsException error) {
      throw new PoolsException(file + ": " + error.getMessage(), error);
    }
  }
}
