package org.project_planton.nodepool.v1;

import static io.grpc.MethodDescriptor.generateFullMethodName;

/**
 * <pre>
 * Node pools.
 * </pre>
 */
@io.grpc.stub.annotations.GrpcGenerated
public final class NodePoolServiceGrpc {

  private NodePoolServiceGrpc() {}

  public static final java.lang.String SERVICE_NAME = "org.project_planton.nodepool.v1.NodePoolService";

  // Static method descriptors that strictly reflect the proto.
  private static volatile io.grpc.MethodDescriptor<org.project_planton.nodepool.v1.CreateNodePoolRequest,
      org.project_planton.nodepool.v1.CreateNodePoolResponse> getCreateNodePoolMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "CreateNodePool",
      requestType = org.project_planton.nodepool.v1.CreateNodePoolRequest.class,
      responseType = org.project_planton.nodepool.v1.CreateNodePoolResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<org.project_planton.nodepool.v1.CreateNodePoolRequest,
      org.project_planton.nodepool.v1.CreateNodePoolResponse> getCreateNodePoolMethod() {
    io.grpc.MethodDescriptor<org.project_planton.nodepool.v1.CreateNodePoolRequest, org.project_planton.nodepool.v1.CreateNodePoolResponse> getCreateNodePoolMethod;
    if ((getCreateNodePoolMethod = NodePoolServiceGrpc.getCreateNodePoolMethod) == null) {
      synchronized (NodePoolServiceGrpc.class) {
        if ((getCreateNodePoolMethod = NodePoolServiceGrpc.getCreateNodePoolMethod) == null) {
          NodePoolServiceGrpc.getCreateNodePoolMethod = getCreateNodePoolMethod =
              io.grpc.MethodDescriptor.<org.project_planton.nodepool.v1.CreateNodePoolRequest, org.project_planton.nodepool.v1.CreateNodePoolResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "CreateNodePool"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  org.project_planton.nodepool.v1.CreateNodePoolRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  org.project_planton.nodepool.v1.CreateNodePoolResponse.getDefaultInstance()))
              .setSchemaDescriptor(new NodePoolServiceMethodDescriptorSupplier("CreateNodePool"))
              .build();
        }
      }
    }
    return getCreateNodePoolMethod;
  }

  private static volatile io.grpc.MethodDescriptor<org.project_planton.nodepool.v1.ListNodePoolsRequest,
      org.project_planton.nodepool.v1.ListNodePoolsResponse> getListNodePoolsMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "ListNodePools",
      requestType = org.project_planton.nodepool.v1.ListNodePoolsRequest.class,
      responseType = org.project_planton.nodepool.v1.ListNodePoolsResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<org.project_planton.nodepool.v1.ListNodePoolsRequest,
      org.project_planton.nodepool.v1.ListNodePoolsResponse> getListNodePoolsMethod() {
    io.grpc.MethodDescriptor<org.project_planton.nodepool.v1.ListNodePoolsRequest, org.project_planton.nodepool.v1.ListNodePoolsResponse> getListNodePoolsMethod;
    if ((getListNodePoolsMethod = NodePoolServiceGrpc.getListNodePoolsMethod) == null) {
      synchronized (NodePoolServiceGrpc.class) {
        if ((getListNodePoolsMethod = NodePoolServiceGrpc.getListNodePoolsMethod) == null) {
          NodePoolServiceGrpc.getListNodePoolsMethod = getListNodePoolsMethod =
              io.grpc.MethodDescriptor.<org.project_planton.nodepool.v1.ListNodePoolsRequest, org.project_planton.nodepool.v1.ListNodePoolsResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "ListNodePools"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  org.project_planton.nodepool.v1.ListNodePoolsRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  org.project_planton.nodepool.v1.ListNodePoolsResponse.getDefaultInstance()))
              .setSchemaDescriptor(new NodePoolServiceMethodDescriptorSupplier("ListNodePools"))
              .build();
        }
      }
    }
    return getListNodePoolsMethod;
  }

  private static volatile io.grpc.MethodDescriptor<org.project_planton.nodepool.v1.GetNodePoolRequest,
      org.project_planton.nodepool.v1.GetNodePoolResponse> getGetNodePoolMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "GetNodePool",
      requestType = org.project_planton.nodepool.v1.GetNodePoolRequest.class,
      responseType = org.project_planton.nodepool.v1.GetNodePoolResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<org.project_planton.nodepool.v1.GetNodePoolRequest,
      org.project_planton.nodepool.v1.GetNodePoolResponse> getGetNodePoolMethod() {
    io.grpc.MethodDescriptor<org.project_planton.nodepool.v1.GetNodePoolRequest, org.project_planton.nodepool.v1.GetNodePoolResponse> getGetNodePoolMethod;
    if ((getGetNodePoolMethod = NodePoolServiceGrpc.getGetNodePoolMethod) == null) {
      synchronized (NodePoolServiceGrpc.class) {
        if ((getGetNodePoolMethod = NodePoolServiceGrpc.getGetNodePoolMethod) == null) {
          NodePoolServiceGrpc.getGetNodePoolMethod = getGetNodePoolMethod =
              io.grpc.MethodDescriptor.<org.project_planton.nodepool.v1.GetNodePoolRequest, org.project_planton.nodepool.v1.GetNodePoolResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "GetNodePool"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  org.project_planton.nodepool.v1.GetNodePoolRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  org.project_planton.nodepool.v1.GetNodePoolResponse.getDefaultInstance()))
              .setSchemaDescriptor(new NodePoolServiceMethodDescriptorSupplier("GetNodePool"))
              .build();
        }
      }
    }
    return getGetNodePoolMethod;
  }

  private static volatile io.grpc.MethodDescriptor<org.project_planton.nodepool.v1.UpdateNodePoolRequest,
      org.project_planton.nodepool.v1.UpdateNodePoolResponse> getUpdateNodePoolMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "UpdateNodePool",
      requestType = org.project_planton.nodepool.v1.UpdateNodePoolRequest.class,
      responseType = org.project_planton.nodepool.v1.UpdateNodePoolResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<org.project_planton.nodepool.v1.UpdateNodePoolRequest,
      org.project_planton.nodepool.v1.UpdateNodePoolResponse> getUpdateNodePoolMethod() {
    io.grpc.MethodDescriptor<org.project_planton.nodepool.v1.UpdateNodePoolRequest, org.project_planton.nodepool.v1.UpdateNodePoolResponse> getUpdateNodePoolMethod;
    if ((getUpdateNodePoolMethod = NodePoolServiceGrpc.getUpdateNodePoolMethod) == null) {
      synchronized (NodePoolServiceGrpc.class) {
        if ((getUpdateNodePoolMethod = NodePoolServiceGrpc.getUpdateNodePoolMethod) == null) {
          NodePoolServiceGrpc.getUpdateNodePoolMethod = getUpdateNodePoolMethod =
              io.grpc.MethodDescriptor.<org.project_planton.nodepool.v1.UpdateNodePoolRequest, org.project_planton.nodepool.v1.UpdateNodePoolResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "UpdateNodePool"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  org.project_planton.nodepool.v1.UpdateNodePoolRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  org.project_planton.nodepool.v1.UpdateNodePoolResponse.getDefaultInstance()))
              .setSchemaDescriptor(new NodePoolServiceMethodDescriptorSupplier("UpdateNodePool"))
              .build();
        }
      }
    }
    return getUpdateNodePoolMethod;
  }

  private static volatile io.grpc.MethodDescriptor<org.project_planton.nodepool.v1.DeleteNodePoolRequest,
      org.project_planton.nodepool.v1.DeleteNodePoolResponse> getDeleteNodePoolMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "DeleteNodePool",
      requestType = org.project_planton.nodepool.v1.DeleteNodePoolRequest.class,
      responseType = org.project_planton.nodepool.v1.DeleteNodePoolResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<org.project_planton.nodepool.v1.DeleteNodePoolRequest,
      org.project_planton.nodepool.v1.DeleteNodePoolResponse> getDeleteNodePoolMethod() {
    io.grpc.MethodDescriptor<org.project_planton.nodepool.v1.DeleteNodePoolRequest, org.project_planton.nodepool.v1.DeleteNodePoolResponse> getDeleteNodePoolMethod;
    if ((getDeleteNodePoolMethod = NodePoolServiceGrpc.getDeleteNodePoolMethod) == null) {
      synchronized (NodePoolServiceGrpc.class) {
        if ((getDeleteNodePoolMethod = NodePoolServiceGrpc.getDeleteNodePoolMethod) == null) {
          NodePoolServiceGrpc.getDeleteNodePoolMethod = getDeleteNodePoolMethod =
              io.grpc.MethodDescriptor.<org.project_planton.nodepool.v1.DeleteNodePoolRequest, org.project_planton.nodepool.v1.DeleteNodePoolResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "DeleteNodePool"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  org.project_planton.nodepool.v1.DeleteNodePoolRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  org.project_planton.nodepool.v1.DeleteNodePoolResponse.getDefaultInstance()))
              .setSchemaDescriptor(new NodePoolServiceMethodDescriptorSupplier("DeleteNodePool"))
              .build();
        }
      }
    }
    return getDeleteNodePoolMethod;
  }

  private static volatile io.grpc.MethodDescriptor<org.project_planton.nodepool.v1.GetNodePoolStatusRequest,
      org.project_planton.nodepool.v1.GetNodePoolStatusResponse> getGetNodePoolStatusMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "GetNodePoolStatus",
      requestType = org.project_planton.nodepool.v1.GetNodePoolStatusRequest.class,
      responseType = org.project_planton.nodepool.v1.GetNodePoolStatusResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<org.project_planton.nodepool.v1.GetNodePoolStatusRequest,
      org.project_planton.nodepool.v1.GetNodePoolStatusResponse> getGetNodePoolStatusMethod() {
    io.grpc.MethodDescriptor<org.project_planton.nodepool.v1.GetNodePoolStatusRequest, org.project_planton.nodepool.v1.GetNodePoolStatusResponse> getGetNodePoolStatusMethod;
    if ((getGetNodePoolStatusMethod = NodePoolServiceGrpc.getGetNodePoolStatusMethod) == null) {
      synchronized (NodePoolServiceGrpc.class) {
        if ((getGetNodePoolStatusMethod = NodePoolServiceGrpc.getGetNodePoolStatusMethod) == null) {
          NodePoolServiceGrpc.getGetNodePoolStatusMethod = getGetNodePoolStatusMethod =
              io.grpc.MethodDescriptor.<org.project_planton.nodepool.v1.GetNodePoolStatusRequest, org.project_planton.nodepool.v1.GetNodePoolStatusResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "GetNodePoolStatus"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  org.project_planton.nodepool.v1.GetNodePoolStatusRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  org.project_planton.nodepool.v1.GetNodePoolStatusResponse.getDefaultInstance()))
              .setSchemaDescriptor(new NodePoolServiceMethodDescriptorSupplier("GetNodePoolStatus"))
              .build();
        }
      }
    }
    return getGetNodePoolStatusMethod;
  }

  private static volatile io.grpc.MethodDescriptor<org.project_planton.nodepool.v1.ReportNodePoolStatusRequest,
      org.project_planton.nodepool.v1.ReportNodePoolStatusResponse> getReportNodePoolStatusMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "ReportNodePoolStatus",
      requestType = org.project_planton.nodepool.v1.ReportNodePoolStatusRequest.class,
      responseType = org.project_planton.nodepool.v1.ReportNodePoolStatusResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<org.project_planton.nodepool.v1.ReportNodePoolStatusRequest,
      org.project_planton.nodepool.v1.ReportNodePoolStatusResponse> getReportNodePoolStatusMethod() {
    io.grpc.MethodDescriptor<org.project_planton.nodepool.v1.ReportNodePoolStatusRequest, org.project_planton.nodepool.v1.ReportNodePoolStatusResponse> getReportNodePoolStatusMethod;
    if ((getReportNodePoolStatusMethod = NodePoolServiceGrpc.getReportNodePoolStatusMethod) == null) {
      synchronized (NodePoolServiceGrpc.class) {
        if ((getReportNodePoolStatusMethod = NodePoolServiceGrpc.getReportNodePoolStatusMethod) == null) {
          NodePoolServiceGrpc.getReportNodePoolStatusMethod = getReportNodePoolStatusMethod =
              io.grpc.MethodDescriptor.<org.project_planton.nodepool.v1.ReportNodePoolStatusRequest, org.project_planton.nodepool.v1.ReportNodePoolStatusResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "ReportNodePoolStatus"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  org.project_planton.nodepool.v1.ReportNodePoolStatusRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  org.project_planton.nodepool.v1.ReportNodePoolStatusResponse.getDefaultInstance()))
              .setSchemaDescriptor(new NodePoolServiceMethodDescriptorSupplier("ReportNodePoolStatus"))
              .build();
        }
      }
    }
    return getReportNodePoolStatusMethod;
  }

  /**
   * Creates a new async stub that supports all call types for the service
   */
  public static NodePoolServiceStub newStub(io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<NodePoolServiceStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<NodePoolServiceStub>() {
        @java.lang.Override
        public NodePoolServiceStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new NodePoolServiceStub(channel, callOptions);
        }
      };
    return NodePoolServiceStub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports all types of calls on the service
   */
  public static NodePoolServiceBlockingV2Stub newBlockingV2Stub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<NodePoolServiceBlockingV2Stub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<NodePoolServiceBlockingV2Stub>() {
        @java.lang.Override
        public NodePoolServiceBlockingV2Stub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new NodePoolServiceBlockingV2Stub(channel, callOptions);
        }
      };
    return NodePoolServiceBlockingV2Stub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports unary and streaming output calls on the service
   */
  public static NodePoolServiceBlockingStub newBlockingStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<NodePoolServiceBlockingStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<NodePoolServiceBlockingStub>() {
        @java.lang.Override
        public NodePoolServiceBlockingStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new NodePoolServiceBlockingStub(channel, callOptions);
        }
      };
    return NodePoolServiceBlockingStub.newStub(factory, channel);
  }

  /**
   * Creates a new ListenableFuture-style stub that supports unary calls on the service
   */
  public static NodePoolServiceFutureStub newFutureStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<NodePoolServiceFutureStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<NodePoolServiceFutureStub>() {
        @java.lang.Override
        public NodePoolServiceFutureStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new NodePoolServiceFutureStub(channel, callOptions);
        }
      };
    return NodePoolServiceFutureStub.newStub(factory, channel);
  }

  /**
   * <pre>
   * Node pools.
   * </pre>
   */
  public interface AsyncService {

    /**
     * <pre>
     * Creates a node pool.
     * </pre>
     */
    default void createNodePool(org.project_planton.nodepool.v1.CreateNodePoolRequest request,
        io.grpc.stub.StreamObserver<org.project_planton.nodepool.v1.CreateNodePoolResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getCreateNodePoolMethod(), responseObserver);
    }

    /**
     * <pre>
     * Lists node pools, the newest first.
     * </pre>
     */
    default void listNodePools(org.project_planton.nodepool.v1.ListNodePoolsRequest request,
        io.grpc.stub.StreamObserver<org.project_planton.nodepool.v1.ListNodePoolsResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getListNodePoolsMethod(), responseObserver);
    }

    /**
     * <pre>
     * Returns a node pool.
     * </pre>
     */
    default void getNodePool(org.project_planton.nodepool.v1.GetNodePoolRequest request,
        io.grpc.stub.StreamObserver<org.project_planton.nodepool.v1.GetNodePoolResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getGetNodePoolMethod(), responseObserver);
    }

    /**
     * <pre>
     * Replaces a node pool's spec. Without a version the last write wins.
     * </pre>
     */
    default void updateNodePool(org.project_planton.nodepool.v1.UpdateNodePoolRequest request,
        io.grpc.stub.StreamObserver<org.project_planton.nodepool.v1.UpdateNodePoolResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getUpdateNodePoolMethod(), responseObserver);
    }

    /**
     * <pre>
     * Deletes a node pool: at once where no controller holds it, else when each that does reports the condition `Deleted`.
     * </pre>
     */
    default void deleteNodePool(org.project_planton.nodepool.v1.DeleteNodePoolRequest request,
        io.grpc.stub.StreamObserver<org.project_planton.nodepool.v1.DeleteNodePoolResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getDeleteNodePoolMethod(), responseObserver);
    }

    /**
     * <pre>
     * Returns a node pool's status and what each controller reported.
     * </pre>
     */
    default void getNodePoolStatus(org.project_planton.nodepool.v1.GetNodePoolStatusRequest request,
        io.grpc.stub.StreamObserver<org.project_planton.nodepool.v1.GetNodePoolStatusResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getGetNodePoolStatusMethod(), responseObserver);
    }

    /**
     * <pre>
     * Takes a controller's report.
     * </pre>
     */
    default void reportNodePoolStatus(org.project_planton.nodepool.v1.ReportNodePoolStatusRequest request,
        io.grpc.stub.StreamObserver<org.project_planton.nodepool.v1.ReportNodePoolStatusResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getReportNodePoolStatusMethod(), responseObserver);
    }
  }

  /**
   * Base class for the server implementation of the service NodePoolService.
   * <pre>
   * Node pools.
   * </pre>
   */
  public static abstract class NodePoolServiceImplBase
      implements io.grpc.BindableService, AsyncService {

    @java.lang.Override public final io.grpc.ServerServiceDefinition bindService() {
      return NodePoolServiceGrpc.bindService(this);
    }
  }

  /**
   * A stub to allow clients to do asynchronous rpc calls to service NodePoolService.
   * <pre>
   * Node pools.
   * </pre>
   */
  public static final class NodePoolServiceStub
      extends io.grpc.stub.AbstractAsyncStub<NodePoolServiceStub> {
    private NodePoolServiceStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected NodePoolServiceStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new NodePoolServiceStub(channel, callOptions);
    }

    /**
     * <pre>
     * Creates a node pool.
     * </pre>
     */
    public void createNodePool(org.project_planton.nodepool.v1.CreateNodePoolRequest request,
        io.grpc.stub.StreamObserver<org.project_planton.nodepool.v1.CreateNodePoolResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getCreateNodePoolMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Lists node pools, the newest first.
     * </pre>
     */
    public void listNodePools(org.project_planton.nodepool.v1.ListNodePoolsRequest request,
        io.grpc.stub.StreamObserver<org.project_planton.nodepool.v1.ListNodePoolsResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getListNodePoolsMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Returns a node pool.
     * </pre>
     */
    public void getNodePool(org.project_planton.nodepool.v1.GetNodePoolRequest request,
        io.grpc.stub.StreamObserver<org.project_planton.nodepool.v1.GetNodePoolResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getGetNodePoolMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Replaces a node pool's spec. Without a version the last write wins.
     * </pre>
     */
    public void updateNodePool(org.project_planton.nodepool.v1.UpdateNodePoolRequest request,
        io.grpc.stub.StreamObserver<org.project_planton.nodepool.v1.UpdateNodePoolResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getUpdateNodePoolMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Deletes a node pool: at once where no controller holds it, else when each that does reports the condition `Deleted`.
     * </pre>
     */
    public void deleteNodePool(org.project_planton.nodepool.v1.DeleteNodePoolRequest request,
        io.grpc.stub.StreamObserver<org.project_planton.nodepool.v1.DeleteNodePoolResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getDeleteNodePoolMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Returns a node pool's status and what each controller reported.
     * </pre>
     */
    public void getNodePoolStatus(org.project_planton.nodepool.v1.GetNodePoolStatusRequest request,
        io.grpc.stub.StreamObserver<org.project_planton.nodepool.v1.GetNodePoolStatusResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getGetNodePoolStatusMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Takes a controller's report.
     * </pre>
     */
    public void reportNodePoolStatus(org.project_planton.nodepool.v1.ReportNodePoolStatusRequest request,
        io.grpc.stub.StreamObserver<org.project_planton.nodepool.v1.ReportNodePoolStatusResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getReportNodePoolStatusMethod(), getCallOptions()), request, responseObserver);
    }
  }

  /**
   * A stub to allow clients to do synchronous rpc calls to service NodePoolService.
   * <pre>
   * Node pools.
   * </pre>
   */
  public static final class NodePoolServiceBlockingV2Stub
      extends io.grpc.stub.AbstractBlockingStub<NodePoolServiceBlockingV2Stub> {
    private NodePoolServiceBlockingV2Stub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected NodePoolServiceBlockingV2Stub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new NodePoolServiceBlockingV2Stub(channel, callOptions);
    }

    /**
     * <pre>
     * Creates a node pool.
     * </pre>
     */
    public org.project_planton.nodepool.v1.CreateNodePoolResponse createNodePool(org.project_planton.nodepool.v1.CreateNodePoolRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getCreateNodePoolMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Lists node pools, the newest first.
     * </pre>
     */
    public org.project_planton.nodepool.v1.ListNodePoolsResponse listNodePools(org.project_planton.nodepool.v1.ListNodePoolsRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getListNodePoolsMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Returns a node pool.
     * </pre>
     */
    public org.project_planton.nodepool.v1.GetNodePoolResponse getNodePool(org.project_planton.nodepool.v1.GetNodePoolRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getGetNodePoolMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Replaces a node pool's spec. Without a version the last write wins.
     * </pre>
     */
    public org.project_planton.nodepool.v1.UpdateNodePoolResponse updateNodePool(org.project_planton.nodepool.v1.UpdateNodePoolRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getUpdateNodePoolMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Deletes a node pool: at once where no controller holds it, else when each that does reports the condition `Deleted`.
     * </pre>
     */
    public org.project_planton.nodepool.v1.DeleteNodePoolResponse deleteNodePool(org.project_planton.nodepool.v1.DeleteNodePoolRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getDeleteNodePoolMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Returns a node pool's status and what each controller reported.
     * </pre>
     */
    public org.project_planton.nodepool.v1.GetNodePoolStatusResponse getNodePoolStatus(org.project_planton.nodepool.v1.GetNodePoolStatusRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getGetNodePoolStatusMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Takes a controller's report.
     * </pre>
     */
    public org.project_planton.nodepool.v1.ReportNodePoolStatusResponse reportNodePoolStatus(org.project_planton.nodepool.v1.ReportNodePoolStatusRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getReportNodePoolStatusMethod(), getCallOptions(), request);
    }
  }

  /**
   * A stub to allow clients to do limited synchronous rpc calls to service NodePoolService.
   * <pre>
   * Node pools.
   * </pre>
   */
  public static final class NodePoolServiceBlockingStub
      extends io.grpc.stub.AbstractBlockingStub<NodePoolServiceBlockingStub> {
    private NodePoolServiceBlockingStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected NodePoolServiceBlockingStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new NodePoolServiceBlockingStub(channel, callOptions);
    }

    /**
     * <pre>
     * Creates a node pool.
     * </pre>
     */
    public org.project_planton.nodepool.v1.CreateNodePoolResponse createNodePool(org.project_planton.nodepool.v1.CreateNodePoolRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getCreateNodePoolMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Lists node pools, the newest first.
     * </pre>
     */
    public org.project_planton.nodepool.v1.ListNodePoolsResponse listNodePools(org.project_planton.nodepool.v1.ListNodePoolsRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getListNodePoolsMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Returns a node pool.
     * </pre>
     */
    public org.project_planton.nodepool.v1.GetNodePoolResponse getNodePool(org.project_planton.nodepool.v1.GetNodePoolRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getGetNodePoolMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Replaces a node pool's spec. Without a version the last write wins.
     * </pre>
     */
    public org.project_planton.nodepool.v1.UpdateNodePoolResponse updateNodePool(org.project_planton.nodepool.v1.UpdateNodePoolRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getUpdateNodePoolMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Deletes a node pool: at once where no controller holds it, else when each that does reports the condition `Deleted`.
     * </pre>
     */
    public org.project_planton.nodepool.v1.DeleteNodePoolResponse deleteNodePool(org.project_planton.nodepool.v1.DeleteNodePoolRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getDeleteNodePoolMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Returns a node pool's status and what each controller reported.
     * </pre>
     */
    public org.project_planton.nodepool.v1.GetNodePoolStatusResponse getNodePoolStatus(org.project_planton.nodepool.v1.GetNodePoolStatusRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getGetNodePoolStatusMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Takes a controller's report.
     * </pre>
     */
    public org.project_planton.nodepool.v1.ReportNodePoolStatusResponse reportNodePoolStatus(org.project_planton.nodepool.v1.ReportNodePoolStatusRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getReportNodePoolStatusMethod(), getCallOptions(), request);
    }
  }

  /**
   * A stub to allow clients to do ListenableFuture-style rpc calls to service NodePoolService.
   * <pre>
   * Node pools.
   * </pre>
   */
  public static final class NodePoolServiceFutureStub
      extends io.grpc.stub.AbstractFutureStub<NodePoolServiceFutureStub> {
    private NodePoolServiceFutureStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected NodePoolServiceFutureStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new NodePoolServiceFutureStub(channel, callOptions);
    }

    /**
     * <pre>
     * Creates a node pool.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<org.project_planton.nodepool.v1.CreateNodePoolResponse> createNodePool(
        org.project_planton.nodepool.v1.CreateNodePoolRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getCreateNodePoolMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Lists node pools, the newest first.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<org.project_planton.nodepool.v1.ListNodePoolsResponse> listNodePools(
        org.project_planton.nodepool.v1.ListNodePoolsRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getListNodePoolsMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Returns a node pool.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<org.project_planton.nodepool.v1.GetNodePoolResponse> getNodePool(
        org.project_planton.nodepool.v1.GetNodePoolRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getGetNodePoolMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Replaces a node pool's spec. Without a version the last write wins.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<org.project_planton.nodepool.v1.UpdateNodePoolResponse> updateNodePool(
        org.project_planton.nodepool.v1.UpdateNodePoolRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getUpdateNodePoolMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Deletes a node pool: at once where no controller holds it, else when each that does reports the condition `Deleted`.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<org.project_planton.nodepool.v1.DeleteNodePoolResponse> deleteNodePool(
        org.project_planton.nodepool.v1.DeleteNodePoolRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getDeleteNodePoolMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Returns a node pool's status and what each controller reported.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<org.project_planton.nodepool.v1.GetNodePoolStatusResponse> getNodePoolStatus(
        org.project_planton.nodepool.v1.GetNodePoolStatusRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getGetNodePoolStatusMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Takes a controller's report.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<org.project_planton.nodepool.v1.ReportNodePoolStatusResponse> reportNodePoolStatus(
        org.project_planton.nodepool.v1.ReportNodePoolStatusRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getReportNodePoolStatusMethod(), getCallOptions()), request);
    }
  }

  private static final int METHODID_CREATE_NODE_POOL = 0;
  private static final int METHODID_LIST_NODE_POOLS = 1;
  private static final int METHODID_GET_NODE_POOL = 2;
  private static final int METHODID_UPDATE_NODE_POOL = 3;
  private static final int METHODID_DELETE_NODE_POOL = 4;
  private static final int METHODID_GET_NODE_POOL_STATUS = 5;
  private static final int METHODID_REPORT_NODE_POOL_STATUS = 6;

  private static final class MethodHandlers<Req, Resp> implements
      io.grpc.stub.ServerCalls.UnaryMethod<Req, Resp>,
      io.grpc.stub.ServerCalls.ServerStreamingMethod<Req, Resp>,
      io.grpc.stub.ServerCalls.ClientStreamingMethod<Req, Resp>,
      io.grpc.stub.ServerCalls.BidiStreamingMethod<Req, Resp> {
    private final AsyncService serviceImpl;
    private final int methodId;

    MethodHandlers(AsyncService serviceImpl, int methodId) {
      this.serviceImpl = serviceImpl;
      this.methodId = methodId;
    }

    @java.lang.Override
    @java.lang.SuppressWarnings("unchecked")
    public void invoke(Req request, io.grpc.stub.StreamObserver<Resp> responseObserver) {
      switch (methodId) {
        case METHODID_CREATE_NODE_POOL:
          serviceImpl.createNodePool((org.project_planton.nodepool.v1.CreateNodePoolRequest) request,
              (io.grpc.stub.StreamObserver<org.project_planton.nodepool.v1.CreateNodePoolResponse>) responseObserver);
          break;
        case METHODID_LIST_NODE_POOLS:
          serviceImpl.listNodePools((org.project_planton.nodepool.v1.ListNodePoolsRequest) request,
              (io.grpc.stub.StreamObserver<org.project_planton.nodepool.v1.ListNodePoolsResponse>) responseObserver);
          break;
        case METHODID_GET_NODE_POOL:
          serviceImpl.getNodePool((org.project_planton.nodepool.v1.GetNodePoolRequest) request,
              (io.grpc.stub.StreamObserver<org.project_planton.nodepool.v1.GetNodePoolResponse>) responseObserver);
          break;
        case METHODID_UPDATE_NODE_POOL:
          serviceImpl.updateNodePool((org.project_planton.nodepool.v1.UpdateNodePoolRequest) request,
              (io.grpc.stub.StreamObserver<org.project_planton.nodepool.v1.UpdateNodePoolResponse>) responseObserver);
          break;
        case METHODID_DELETE_NODE_POOL:
          serviceImpl.deleteNodePool((org.project_planton.nodepool.v1.DeleteNodePoolRequest) request,
              (io.grpc.stub.StreamObserver<org.project_planton.nodepool.v1.DeleteNodePoolResponse>) responseObserver);
          break;
        case METHODID_GET_NODE_POOL_STATUS:
          serviceImpl.getNodePoolStatus((org.project_planton.nodepool.v1.GetNodePoolStatusRequest) request,
              (io.grpc.stub.StreamObserver<org.project_planton.nodepool.v1.GetNodePoolStatusResponse>) responseObserver);
          break;
        case METHODID_REPORT_NODE_POOL_STATUS:
          serviceImpl.reportNodePoolStatus((org.project_planton.nodepool.v1.ReportNodePoolStatusRequest) request,
              (io.grpc.stub.StreamObserver<org.project_planton.nodepool.v1.ReportNodePoolStatusResponse>) responseObserver);
          break;
        default:
          throw new AssertionError();
      }
    }

    @java.lang.Override
    @java.lang.SuppressWarnings("unchecked")
    public io.grpc.stub.StreamObserver<Req> invoke(
        io.grpc.stub.StreamObserver<Resp> responseObserver) {
      switch (methodId) {
        default:
          throw new AssertionError();
      }
    }
  }

  public static final io.grpc.ServerServiceDefinition bindService(AsyncService service) {
    return io.grpc.ServerServiceDefinition.builder(getServiceDescriptor())
        .addMethod(
          getCreateNodePoolMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              org.project_planton.nodepool.v1.CreateNodePoolRequest,
              org.project_planton.nodepool.v1.CreateNodePoolResponse>(
                service, METHODID_CREATE_NODE_POOL)))
        .addMethod(
          getListNodePoolsMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              org.project_planton.nodepool.v1.ListNodePoolsRequest,
              org.project_planton.nodepool.v1.ListNodePoolsResponse>(
                service, METHODID_LIST_NODE_POOLS)))
        .addMethod(
          getGetNodePoolMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              org.project_planton.nodepool.v1.GetNodePoolRequest,
              org.project_planton.nodepool.v1.GetNodePoolResponse>(
                service, METHODID_GET_NODE_POOL)))
        .addMethod(
          getUpdateNodePoolMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              org.project_planton.nodepool.v1.UpdateNodePoolRequest,
              org.project_planton.nodepool.v1.UpdateNodePoolResponse>(
                service, METHODID_UPDATE_NODE_POOL)))
        .addMethod(
          getDeleteNodePoolMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              org.project_planton.nodepool.v1.DeleteNodePoolRequest,
              org.project_planton.nodepool.v1.DeleteNodePoolResponse>(
                service, METHODID_DELETE_NODE_POOL)))
        .addMethod(
          getGetNodePoolStatusMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              org.project_planton.nodepool.v1.GetNodePoolStatusRequest,
              org.project_planton.nodepool.v1.GetNodePoolStatusResponse>(
                service, METHODID_GET_NODE_POOL_STATUS)))
        .addMethod(
          getReportNodePoolStatusMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              org.project_planton.nodepool.v1.ReportNodePoolStatusRequest,
              org.project_planton.nodepool.v1.ReportNodePoolStatusResponse>(
                service, METHODID_REPORT_NODE_POOL_STATUS)))
        .build();
  }

  private static abstract class NodePoolServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoFileDescriptorSupplier, io.grpc.protobuf.ProtoServiceDescriptorSupplier {
    NodePoolServiceBaseDescriptorSupplier() {}

    @java.lang.Override
    public com.google.protobuf.Descriptors.FileDescriptor getFileDescriptor() {
      return org.project_planton.nodepool.v1.ServiceProto.getDescriptor();
    }

    @java.lang.Override
    public com.google.protobuf.Descriptors.ServiceDescriptor getServiceDescriptor() {
      return getFileDescriptor().findServiceByName("NodePoolService");
    }
  }

  private static final class NodePoolServiceFileDescriptorSupplier
      extends NodePoolServiceBaseDescriptorSupplier {
    NodePoolServiceFileDescriptorSupplier() {}
  }

  private static final class NodePoolServiceMethodDescriptorSupplier
      extends NodePoolServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoMethodDescriptorSupplier {
    private final java.lang.String methodName;

    NodePoolServiceMethodDescriptorSupplier(java.lang.String methodName) {
      this.methodName = methodName;
    }

    @java.lang.Override
    public com.google.protobuf.Descriptors.MethodDescriptor getMethodDescriptor() {
      return getServiceDescriptor().findMethodByName(methodName);
    }
  }

  private static volatile io.grpc.ServiceDescriptor serviceDescriptor;

  public static io.grpc.ServiceDescriptor getServiceDescriptor() {
    io.grpc.ServiceDescriptor result = serviceDescriptor;
    if (result == null) {
      synchronized (NodePoolServiceGrpc.class) {
        result = serviceDescriptor;
        if (result == null) {
          serviceDescriptor = result = io.grpc.ServiceDescriptor.newBuilder(SERVICE_NAME)
              .setSchemaDescriptor(new NodePoolServiceFileDescriptorSupplier())
              .addMethod(getCreateNodePoolMethod())
              .addMethod(getListNodePoolsMethod())
              .addMethod(getGetNodePoolMethod())
              .addMethod(getUpdateNodePoolMethod())
              .addMethod(getDeleteNodePoolMethod())
              .addMethod(getGetNodePoolStatusMethod())
              .addMethod(getReportNodePoolStatusMethod())
              .build();
        }
      }
    }
    return result;
  }
}
