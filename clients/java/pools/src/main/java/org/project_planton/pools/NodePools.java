package org.project_planton.pools;

import io.grpc.Channel;
import io.grpc.ClientInterceptors;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.MetadataUtils;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.project_planton.nodepool.v1.CreateNodePoolRequest;
import org.project_planton.nodepool.v1.GetNodePoolRequest;
import org.project_planton.nodepool.v1.NewNodePool;
import org.project_planton.nodepool.v1.NodePool;
import org.project_planton.nodepool.v1.NodePoolServiceGrpc;
import org.project_planton.nodepool.v1.NodePoolUpdate;
import org.project_planton.nodepool.v1.UpdateNodePoolRequest;

/** The node pools of a server. */
public final class NodePools implements AutoCloseable {
  private static final int TRIES = 5;

  private final ManagedChannel channel;
  private final Channel asked;

  /**
   * Makes a client of the server that the environment names. It connects with the first call.
   *
   * @param environment has the address, and who asks
   */
  public NodePools(Map<String, String> environment) {
    Metadata headers = headers(environment);
    String address = address(environment);
    // TLS is the work of the proxy in front of the server.
    try {
      channel = Grpc.newChannelBuilder(address, InsecureChannelCredentials.create()).build();
    } catch (IllegalArgumentException error) {
      throw new PoolsException("no address: %s; PLANTON_API_GRPC must be HOST:PORT".formatted(address), error);
    }
    asked = ClientInterceptors.intercept(channel, MetadataUtils.newAttachHeadersInterceptor(headers));
  }

  /**
   * Creates a node pool.
   *
   * @param pool what is wanted, with the cluster
   * @return the node pool
   */
  public NodePool create(NewNodePool pool) {
    CreateNodePoolRequest request = CreateNodePoolRequest.newBuilder().setNodePool(pool).build();
    return stub().createNodePool(request).getNodePool();
  }

  /**
   * Sets the number of nodes, whatever else changes the node pool meanwhile.
   *
   * @param id the node pool's id
   * @param count how many nodes
   * @return the node pool as it is then
   */
  public NodePool scale(String id, int count) {
    for (int tried = 1; ; tried++) {
      NodePool pool = get(id);
      NodePoolUpdate update =
          NodePoolUpdate.newBuilder()
              .setSpec(pool.getSpec().toBuilder().setNodeCount(count))
              .setResourceVersion(pool.getResourceVersion())
              .build();
      try {
        return stub().updateNodePool(UpdateNodePoolRequest.newBuilder().setId(id).setNodePool(update).build()).getNodePool();
      } catch (StatusRuntimeException error) {
        // ABORTED: somebody else wrote first. What they wrote is read, and the count set in that.
        if (error.getStatus().getCode() != Status.Code.ABORTED || tried == TRIES) {
          throw error;
        }
      }
    }
  }

  /**
   * Looks at a node pool once a second until it is Ready.
   *
   * @param id the node pool's id
   * @param changed is given it at first, and when its phase or generation has changed
   * @throws InterruptedException the thread was interrupted while it waited
   */
  public void watch(String id, Consumer<NodePool> changed) throws InterruptedException {
    NodePool shown = null;
    while (true) {
      NodePool pool = get(id);
      String phase = pool.getStatus().getPhase();
      if (shown == null || !shown.getStatus().getPhase().equals(phase) || shown.getGeneration() != pool.getGeneration()) {
        changed.accept(pool);
        shown = pool;
      }
      if (phase.equals("Ready")) {
        return;
      }
      TimeUnit.SECONDS.sleep(1);
    }
  }

  /** Ends the connection. */
  @Override
  public void close() {
    channel.shutdownNow();
  }

  /**
   * Returns where the server is.
   *
   * @param environment has the address
   * @return host and port
   */
  static String address(Map<String, String> environment) {
    String given = environment.getOrDefault("PLANTON_API_GRPC", "");
    return given.isEmpty() ? "127.0.0.1:9090" : given;
  }

  private NodePool get(String id) {
    return stub().getNodePool(GetNodePoolRequest.newBuilder().setId(id).build()).getNodePool();
  }

  /** A deadline is a point in time, so each call has a stub of its own. */
  private NodePoolServiceGrpc.NodePoolServiceBlockingStub stub() {
    return NodePoolServiceGrpc.newBlockingStub(asked).withDeadlineAfter(30, TimeUnit.SECONDS);
  }

  private static Metadata headers(Map<String, String> environment) {
    Metadata headers = new Metadata();
    String user = environment.getOrDefault("PLANTON_API_USER", "");
    if (!user.isEmpty()) {
      put(headers, "x-user-email", user, "PLANTON_API_USER");
    }
    String file = environment.getOrDefault("PLANTON_API_TOKEN_FILE", "");
    if (!file.isEmpty()) {
      try {
        put(headers, "authorization", "Bearer " + Files.readString(Path.of(file)).strip(), "the file of PLANTON_API_TOKEN_FILE");
      } catch (IOException error) {
        throw new PoolsException("cannot read " + file + ", which PLANTON_API_TOKEN_FILE names", error);
      }
    }
    return headers;
  }

  /** gRPC would drop a value that does not fit, and write it, secret or not, into the log. */
  private static void put(Metadata headers, String name, String value, String source) {
    if (!value.chars().allMatch(character -> character >= ' ' && character <= '~')) {
      throw new PoolsException(source + " must have one line of ASCII text");
    }
    headers.put(Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER), value);
  }
}
