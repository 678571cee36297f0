package org.project_planton.cluster.v1;

import static io.grpc.MethodDescriptor.generateFullMethodName;

/**
 * <pre>
 * Clusters, the parents of node pools.
 * </pre>
 */
@io.grpc.stub.annotations.GrpcGenerated
public final class ClusterServiceGrpc {

  private ClusterServiceGrpc() {}

  public static final java.lang.String SERVICE_NAME = "org.project_planton.cluster.v1.ClusterService";

  // Static method descriptors that strictly reflect the proto.
  private static volatile io.grpc.MethodDescriptor<org.project_planton.cluster.v1.CreateClusterRequest,
      org.project_planton.cluster.v1.CreateClusterResponse> getCreateClusterMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "CreateCluster",
      requestType = org.project_planton.cluster.v1.CreateClusterRequest.class,
      responseType = org.project_planton.cluster.v1.CreateClusterResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<org.project_planton.cluster.v1.CreateClusterRequest,
      org.project_planton.cluster.v1.CreateClusterResponse> getCreateClusterMethod() {
    io.grpc.MethodDescriptor<org.project_planton.cluster.v1.CreateClusterRequest, org.project_planton.cluster.v1.CreateClusterResponse> getCreateClusterMethod;
    if ((getCreateClusterMethod = ClusterServiceGrpc.getCreateClusterMethod) == null) {
      synchronized (ClusterServiceGrpc.class) {
        if ((getCreateClusterMethod = ClusterServiceGrpc.getCreateClusterMethod) == null) {
          ClusterServiceGrpc.getCreateClusterMethod = getCreateClusterMethod =
              io.grpc.MethodDescriptor.<org.project_planton.cluster.v1.CreateClusterRequest, org.project_planton.cluster.v1.CreateClusterResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "CreateCluster"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  org.project_planton.cluster.v1.CreateClusterRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  org.project_planton.cluster.v1.CreateClusterResponse.getDefaultInstance()))
              .setSchemaDescriptor(new ClusterServiceMethodDescriptorSupplier("CreateCluster"))
              .build();
        }
      }
    }
    return getCreateClusterMethod;
  }

  private static volatile io.grpc.MethodDescriptor<org.project_planton.cluster.v1.ListClustersRequest,
      org.project_planton.cluster.v1.ListClustersResponse> getListClustersMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "ListClusters",
      requestType = org.project_planton.cluster.v1.ListClustersRequest.class,
      responseType = org.project_planton.cluster.v1.ListClustersResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<org.project_planton.cluster.v1.ListClustersRequest,
      org.project_planton.cluster.v1.ListClustersResponse> getListClustersMethod() {
    io.grpc.MethodDescriptor<org.project_planton.cluster.v1.ListClustersRequest, org.project_planton.cluster.v1.ListClustersResponse> getListClustersMethod;
    if ((getListClustersMethod = ClusterServiceGrpc.getListClustersMethod) == null) {
      synchronized (ClusterServiceGrpc.class) {
        if ((getListClustersMethod = ClusterServiceGrpc.getListClustersMethod) == null) {
          ClusterServiceGrpc.getListClustersMethod = getListClustersMethod =
              io.grpc.MethodDescriptor.<org.project_planton.cluster.v1.ListClustersRequest, org.project_planton.cluster.v1.ListClustersResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "ListClusters"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  org.project_planton.cluster.v1.ListClustersRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  org.project_planton.cluster.v1.ListClustersResponse.getDefaultInstance()))
              .setSchemaDescriptor(new ClusterServiceMethodDescriptorSupplier("ListClusters"))
              .build();
        }
      }
    }
    return getListClustersMethod;
  }

  private static volatile io.grpc.MethodDescriptor<org.project_planton.cluster.v1.GetClusterRequest,
      org.project_planton.cluster.v1.GetClusterResponse> getGetClusterMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "GetCluster",
      requestType = org.project_planton.cluster.v1.GetClusterRequest.class,
      responseType = org.project_planton.cluster.v1.GetClusterResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<org.project_planton.cluster.v1.GetClusterRequest,
      org.project_planton.cluster.v1.GetClusterResponse> getGetClusterMethod() {
    io.grpc.MethodDescriptor<org.project_planton.cluster.v1.GetClusterRequest, org.project_planton.cluster.v1.GetClusterResponse> getGetClusterMethod;
    if ((getGetClusterMethod = ClusterServiceGrpc.getGetClusterMethod) == null) {
      synchronized (ClusterServiceGrpc.class) {
        if ((getGetClusterMethod = ClusterServiceGrpc.getGetClusterMethod) == null) {
          ClusterServiceGrpc.getGetClusterMethod = getGetClusterMethod =
              io.grpc.MethodDescriptor.<org.project_planton.cluster.v1.GetClusterRequest, org.project_planton.cluster.v1.GetClusterResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "GetCluster"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  org.project_planton.cluster.v1.GetClusterRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  org.project_planton.cluster.v1.GetClusterResponse.getDefaultInstance()))
              .setSchemaDescriptor(new ClusterServiceMethodDescriptorSupplier("GetCluster"))
              .build();
        }
      }
    }
    return getGetClusterMethod;
  }

  private static volatile io.grpc.MethodDescriptor<org.project_planton.cluster.v1.UpdateClusterRequest,
      org.project_planton.cluster.v1.UpdateClusterResponse> getUpdateClusterMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "UpdateCluster",
      requestType = org.project_planton.cluster.v1.UpdateClusterRequest.class,
      responseType = org.project_planton.cluster.v1.UpdateClusterResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<org.project_planton.cluster.v1.UpdateClusterRequest,
      org.project_planton.cluster.v1.UpdateClusterResponse> getUpdateClusterMethod() {
    io.grpc.MethodDescriptor<org.project_planton.cluster.v1.UpdateClusterRequest, org.project_planton.cluster.v1.UpdateClusterResponse> getUpdateClusterMethod;
    if ((getUpdateClusterMethod = ClusterServiceGrpc.getUpdateClusterMethod) == null) {
      synchronized (ClusterServiceGrpc.class) {
        if ((getUpdateClusterMethod = ClusterServiceGrpc.getUpdateClusterMethod) == null) {
          ClusterServiceGrpc.getUpdateClusterMethod = getUpdateClusterMethod =
              io.grpc.MethodDescriptor.<org.project_planton.cluster.v1.UpdateClusterRequest, org.project_planton.cluster.v1.UpdateClusterResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "UpdateCluster"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  org.project_planton.cluster.v1.UpdateClusterRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  org.project_planton.cluster.v1.UpdateClusterResponse.getDefaultInstance()))
              .setSchemaDescriptor(new ClusterServiceMethodDescriptorSupplier("UpdateCluster"))
              .build();
        }
      }
    }
    return getUpdateClusterMethod;
  }

  private static volatile io.grpc.MethodDescriptor<org.project_planton.cluster.v1.DeleteClusterRequest,
      org.project_planton.cluster.v1.DeleteClusterResponse> getDeleteClusterMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "DeleteCluster",
      requestType = org.project_planton.cluster.v1.DeleteClusterRequest.class,
      responseType = org.project_planton.cluster.v1.DeleteClusterResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<org.project_planton.cluster.v1.DeleteClusterRequest,
      org.project_planton.cluster.v1.DeleteClusterResponse> getDeleteClusterMethod() {
    io.grpc.MethodDescriptor<org.project_planton.cluster.v1.DeleteClusterRequest, org.project_planton.cluster.v1.DeleteClusterResponse> getDeleteClusterMethod;
    if ((getDeleteClusterMethod = ClusterServiceGrpc.getDeleteClusterMethod) == null) {
      synchronized (ClusterServiceGrpc.class) {
        if ((getDeleteClusterMethod = ClusterServiceGrpc.getDeleteClusterMethod) == null) {
          ClusterServiceGrpc.getDeleteClusterMethod = getDeleteClusterMethod =
              io.grpc.MethodDescriptor.<org.project_planton.cluster.v1.DeleteClusterRequest, org.project_planton.cluster.v1.DeleteClusterResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "DeleteCluster"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  org.project_planton.cluster.v1.DeleteClusterRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  org.project_planton.cluster.v1.DeleteClusterResponse.getDefaultInstance()))
              .setSchemaDescriptor(new ClusterServiceMethodDescriptorSupplier("DeleteCluster"))
              .build();
        }
      }
    }
    return getDeleteClusterMethod;
  }

  private static volatile io.grpc.MethodDescriptor<org.project_planton.cluster.v1.GetClusterStatusRequest,
      org.project_planton.cluster.v1.GetClusterStatusResponse> getGetClusterStatusMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "GetClusterStatus",
      requestType = org.project_planton.cluster.v1.GetClusterStatusRequest.class,
      responseType = org.project_planton.cluster.v1.GetClusterStatusResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<org.project_planton.cluster.v1.GetClusterStatusRequest,
      org.project_planton.cluster.v1.GetClusterStatusResponse> getGetClusterStatusMethod() {
    io.grpc.MethodDescriptor<org.project_planton.cluster.v1.GetClusterStatusRequest, org.project_planton.cluster.v1.GetClusterStatusResponse> getGetClusterStatusMethod;
    if ((getGetClusterStatusMethod = ClusterServiceGrpc.getGetClusterStatusMethod) == null) {
      synchronized (ClusterServiceGrpc.class) {
        if ((getGetClusterStatusMethod = ClusterServiceGrpc.getGetClusterStatusMethod) == null) {
          ClusterServiceGrpc.getGetClusterStatusMethod = getGetClusterStatusMethod =
              io.grpc.MethodDescriptor.<org.project_planton.cluster.v1.GetClusterStatusRequest, org.project_planton.cluster.v1.GetClusterStatusResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "GetClusterStatus"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  org.project_planton.cluster.v1.GetClusterStatusRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  org.project_planton.cluster.v1.GetClusterStatusResponse.getDefaultInstance()))
              .setSchemaDescriptor(new ClusterServiceMethodDescriptorSupplier("GetClusterStatus"))
              .build();
        }
      }
    }
    return getGetClusterStatusMethod;
  }

  private static volatile io.grpc.MethodDescriptor<org.project_planton.cluster.v1.ReportClusterStatusRequest,
      org.project_planton.cluster.v1.ReportClusterStatusResponse> getReportClusterStatusMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "ReportClusterStatus",
      requestType = org.project_planton.cluster.v1.ReportClusterStatusRequest.class,
      responseType = org.project_planton.cluster.v1.ReportClusterStatusResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<org.project_planton.cluster.v1.ReportClusterStatusRequest,
      org.project_planton.cluster.v1.ReportClusterStatusResponse> getReportClusterStatusMethod() {
    io.grpc.MethodDescriptor<org.project_planton.cluster.v1.ReportClusterStatusRequest, org.project_planton.cluster.v1.ReportClusterStatusResponse> getReportClusterStatusMethod;
    if ((getReportClusterStatusMethod = ClusterServiceGrpc.getReportClusterStatusMethod) == null) {
      synchronized (ClusterServiceGrpc.class) {
        if ((getReportClusterStatusMethod = ClusterServiceGrpc.getReportClusterStatusMethod) == null) {
          ClusterServiceGrpc.getReportClusterStatusMethod = getReportClusterStatusMethod =
              io.grpc.MethodDescriptor.<org.project_planton.cluster.v1.ReportClusterStatusRequest, org.project_planton.cluster.v1.ReportClusterStatusResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "ReportClusterStatus"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  org.project_planton.cluster.v1.ReportClusterStatusRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  org.project_planton.cluster.v1.ReportClusterStatusResponse.getDefaultInstance()))
              .setSchemaDescriptor(new ClusterServiceMethodDescriptorSupplier("ReportClusterStatus"))
              .build();
        }
      }
    }
    return getReportClusterStatusMethod;
  }

  /**
   * Creates a new async stub that supports all call types for the service
   */
  public static ClusterServiceStub newStub(io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<ClusterServiceStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<ClusterServiceStub>() {
        @java.lang.Override
        public ClusterServiceStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new ClusterServiceStub(channel, callOptions);
        }
      };
    return ClusterServiceStub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports all types of calls on the service
   */
  public static ClusterServiceBlockingV2Stub newBlockingV2Stub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<ClusterServiceBlockingV2Stub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<ClusterServiceBlockingV2Stub>() {
        @java.lang.Override
        public ClusterServiceBlockingV2Stub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new ClusterServiceBlockingV2Stub(channel, callOptions);
        }
      };
    return ClusterServiceBlockingV2Stub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports unary and streaming output calls on the service
   */
  public static ClusterServiceBlockingStub newBlockingStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<ClusterServiceBlockingStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<ClusterServiceBlockingStub>() {
        @java.lang.Override
        public ClusterServiceBlockingStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new ClusterServiceBlockingStub(channel, callOptions);
        }
      };
    return ClusterServiceBlockingStub.newStub(factory, channel);
  }

  /**
   * Creates a new ListenableFuture-style stub that supports unary calls on the service
   */
  public static ClusterServiceFutureStub newFutureStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<ClusterServiceFutureStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<ClusterServiceFutureStub>() {
        @java.lang.Override
        public ClusterServiceFutureStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new ClusterServiceFutureStub(channel, callOptions);
        }
      };
    return ClusterServiceFutureStub.newStub(factory, channel);
  }

  /**
   * <pre>
   * Clusters, the parents of node pools.
   * </pre>
   */
  public interface AsyncService {

    /**
     * <pre>
     * Creates a cluster.
     * </pre>
     */
    default void createCluster(org.project_planton.cluster.v1.CreateClusterRequest request,
        io.grpc.stub.StreamObserver<org.project_planton.cluster.v1.CreateClusterResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getCreateClusterMethod(), responseObserver);
    }

    /**
     * <pre>
     * Lists clusters, the newest first.
     * </pre>
     */
    default void listClusters(org.project_planton.cluster.v1.ListClustersRequest request,
        io.grpc.stub.StreamObserver<org.project_planton.cluster.v1.ListClustersResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getListClustersMethod(), responseObserver);
    }

    /**
     * <pre>
     * Returns a cluster.
     * </pre>
     */
    default void getCluster(org.project_planton.cluster.v1.GetClusterRequest request,
        io.grpc.stub.StreamObserver<org.project_planton.cluster.v1.GetClusterResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getGetClusterMethod(), responseObserver);
    }

    /**
     * <pre>
     * Replaces a cluster's spec. Without a version the last write wins.
     * </pre>
     */
    default void updateCluster(org.project_planton.cluster.v1.UpdateClusterRequest request,
        io.grpc.stub.StreamObserver<org.project_planton.cluster.v1.UpdateClusterResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getUpdateClusterMethod(), responseObserver);
    }

    /**
     * <pre>
     * Deletes a cluster, and with `force` its node pools. Answers with what is left of it.
     * </pre>
     */
    default void deleteCluster(org.project_planton.cluster.v1.DeleteClusterRequest request,
        io.grpc.stub.StreamObserver<org.project_planton.cluster.v1.DeleteClusterResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getDeleteClusterMethod(), responseObserver);
    }

    /**
     * <pre>
     * Returns a cluster's status and what each controller reported.
     * </pre>
     */
    default void getClusterStatus(org.project_planton.cluster.v1.GetClusterStatusRequest request,
        io.grpc.stub.StreamObserver<org.project_planton.cluster.v1.GetClusterStatusResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getGetClusterStatusMethod(), responseObserver);
    }

    /**
     * <pre>
     * Takes a controller's report.
     * </pre>
     */
    default void reportClusterStatus(org.project_planton.cluster.v1.ReportClusterStatusRequest request,
        io.grpc.stub.StreamObserver<org.project_planton.cluster.v1.ReportClusterStatusResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getReportClusterStatusMethod(), responseObserver);
    }
  }

  /**
   * Base class for the server implementation of the service ClusterService.
   * <pre>
   * Clusters, the parents of node pools.
   * </pre>
   */
  public static abstract class ClusterServiceImplBase
      implements io.grpc.BindableService, AsyncService {

    @java.lang.Override public final io.grpc.ServerServiceDefinition bindService() {
      return ClusterServiceGrpc.bindService(this);
    }
  }

  /**
   * A stub to allow clients to do asynchronous rpc calls to service ClusterService.
   * <pre>
   * Clusters, the parents of node pools.
   * </pre>
   */
  public static final class ClusterServiceStub
      extends io.grpc.stub.AbstractAsyncStub<ClusterServiceStub> {
    private ClusterServiceStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected ClusterServiceStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new ClusterServiceStub(channel, callOptions);
    }

    /**
     * <pre>
     * Creates a cluster.
     * </pre>
     */
    public void createCluster(org.project_planton.cluster.v1.CreateClusterRequest request,
        io.grpc.stub.StreamObserver<org.project_planton.cluster.v1.CreateClusterResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getCreateClusterMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Lists clusters, the newest first.
     * </pre>
     */
    public void listClusters(org.project_planton.cluster.v1.ListClustersRequest request,
        io.grpc.stub.StreamObserver<org.project_planton.cluster.v1.ListClustersResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getListClustersMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Returns a cluster.
     * </pre>
     */
    public void getCluster(org.project_planton.cluster.v1.GetClusterRequest request,
        io.grpc.stub.StreamObserver<org.project_planton.cluster.v1.GetClusterResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getGetClusterMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Replaces a cluster's spec. Without a version the last write wins.
     * </pre>
     */
    public void updateCluster(org.project_planton.cluster.v1.UpdateClusterRequest request,
        io.grpc.stub.StreamObserver<org.project_planton.cluster.v1.UpdateClusterResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getUpdateClusterMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Deletes a cluster, and with `force` its node pools. Answers with what is left of it.
     * </pre>
     */
    public void deleteCluster(org.project_planton.cluster.v1.DeleteClusterRequest request,
        io.grpc.stub.StreamObserver<org.project_planton.cluster.v1.DeleteClusterResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getDeleteClusterMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Returns a cluster's status and what each controller reported.
     * </pre>
     */
    public void getClusterStatus(org.project_planton.cluster.v1.GetClusterStatusRequest request,
        io.grpc.stub.StreamObserver<org.project_planton.cluster.v1.GetClusterStatusResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getGetClusterStatusMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Takes a controller's report.
     * </pre>
     */
    public void reportClusterStatus(org.project_planton.cluster.v1.ReportClusterStatusRequest request,
        io.grpc.stub.StreamObserver<org.project_planton.cluster.v1.ReportClusterStatusResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getReportClusterStatusMethod(), getCallOptions()), request, responseObserver);
    }
  }

  /**
   * A stub to allow clients to do synchronous rpc calls to service ClusterService.
   * <pre>
   * Clusters, the parents of node pools.
   * </pre>
   */
  public static final class ClusterServiceBlockingV2Stub
      extends io.grpc.stub.AbstractBlockingStub<ClusterServiceBlockingV2Stub> {
    private ClusterServiceBlockingV2Stub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected ClusterServiceBlockingV2Stub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new ClusterServiceBlockingV2Stub(channel, callOptions);
    }

    /**
     * <pre>
     * Creates a cluster.
     * </pre>
     */
    public org.project_planton.cluster.v1.CreateClusterResponse createCluster(org.project_planton.cluster.v1.CreateClusterRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getCreateClusterMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Lists clusters, the newest first.
     * </pre>
     */
    public org.project_planton.cluster.v1.ListClustersResponse listClusters(org.project_planton.cluster.v1.ListClustersRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getListClustersMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Returns a cluster.
     * </pre>
     */
    public org.project_planton.cluster.v1.GetClusterResponse getCluster(org.project_planton.cluster.v1.GetClusterRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getGetClusterMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Replaces a cluster's spec. Without a version the last write wins.
     * </pre>
     */
    public org.project_planton.cluster.v1.UpdateClusterResponse updateCluster(org.project_planton.cluster.v1.UpdateClusterRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getUpdateClusterMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Deletes a cluster, and with `force` its node pools. Answers with what is left of it.
     * </pre>
     */
    public org.project_planton.cluster.v1.DeleteClusterResponse deleteCluster(org.project_planton.cluster.v1.DeleteClusterRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getDeleteClusterMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Returns a cluster's status and what each controller reported.
     * </pre>
     */
    public org.project_planton.cluster.v1.GetClusterStatusResponse getClusterStatus(org.project_planton.cluster.v1.GetClusterStatusRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getGetClusterStatusMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Takes a controller's report.
     * </pre>
     */
    public org.project_planton.cluster.v1.ReportClusterStatusResponse reportClusterStatus(org.project_planton.cluster.v1.ReportClusterStatusRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getReportClusterStatusMethod(), getCallOptions(), request);
    }
  }

  /**
   * A stub to allow clients to do limited synchronous rpc calls to service ClusterService.
   * <pre>
   * Clusters, the parents of node pools.
   * </pre>
   */
  public static final class ClusterServiceBlockingStub
      extends io.grpc.stub.AbstractBlockingStub<ClusterServiceBlockingStub> {
    private ClusterServiceBlockingStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected ClusterServiceBlockingStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new ClusterServiceBlockingStub(channel, callOptions);
    }

    /**
     * <pre>
     * Creates a cluster.
     * </pre>
     */
    public org.project_planton.cluster.v1.CreateClusterResponse createCluster(org.project_planton.cluster.v1.CreateClusterRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getCreateClusterMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Lists clusters, the newest first.
     * </pre>
     */
    public org.project_planton.cluster.v1.ListClustersResponse listClusters(org.project_planton.cluster.v1.ListClustersRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getListClustersMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Returns a cluster.
     * </pre>
     */
    public org.project_planton.cluster.v1.GetClusterResponse getCluster(org.project_planton.cluster.v1.GetClusterRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getGetClusterMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Replaces a cluster's spec. Without a version the last write wins.
     * </pre>
     */
    public org.project_planton.cluster.v1.UpdateClusterResponse updateCluster(org.project_planton.cluster.v1.UpdateClusterRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getUpdateClusterMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Deletes a cluster, and with `force` its node pools. Answers with what is left of it.
     * </pre>
     */
    public org.project_planton.cluster.v1.DeleteClusterResponse deleteCluster(org.project_planton.cluster.v1.DeleteClusterRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getDeleteClusterMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Returns a cluster's status and what each controller reported.
     * </pre>
     */
    public org.project_planton.cluster.v1.GetClusterStatusResponse getClusterStatus(org.project_planton.cluster.v1.GetClusterStatusRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getGetClusterStatusMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Takes a controller's report.
     * </pre>
     */
    public org.project_planton.cluster.v1.ReportClusterStatusResponse reportClusterStatus(org.project_planton.cluster.v1.ReportClusterStatusRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getReportClusterStatusMethod(), getCallOptions(), request);
    }
  }

  /**
   * A stub to allow clients to do ListenableFuture-style rpc calls to service ClusterService.
   * <pre>
   * Clusters, the parents of node pools.
   * </pre>
   */
  public static final class ClusterServiceFutureStub
      extends io.grpc.stub.AbstractFutureStub<ClusterServiceFutureStub> {
    private ClusterServiceFutureStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected ClusterServiceFutureStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new ClusterServiceFutureStub(channel, callOptions);
    }

    /**
     * <pre>
     * Creates a cluster.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<org.project_planton.cluster.v1.CreateClusterResponse> createCluster(
        org.project_planton.cluster.v1.CreateClusterRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getCreateClusterMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Lists clusters, the newest first.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<org.project_planton.cluster.v1.ListClustersResponse> listClusters(
        org.project_planton.cluster.v1.ListClustersRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getListClustersMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Returns a cluster.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<org.project_planton.cluster.v1.GetClusterResponse> getCluster(
        org.project_planton.cluster.v1.GetClusterRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getGetClusterMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Replaces a cluster's spec. Without a version the last write wins.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<org.project_planton.cluster.v1.UpdateClusterResponse> updateCluster(
        org.project_planton.cluster.v1.UpdateClusterRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getUpdateClusterMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Deletes a cluster, and with `force` its node pools. Answers with what is left of it.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<org.project_planton.cluster.v1.DeleteClusterResponse> deleteCluster(
        org.project_planton.cluster.v1.DeleteClusterRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getDeleteClusterMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Returns a cluster's status and what each controller reported.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<org.project_planton.cluster.v1.GetClusterStatusResponse> getClusterStatus(
        org.project_planton.cluster.v1.GetClusterStatusRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getGetClusterStatusMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Takes a controller's report.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<org.project_planton.cluster.v1.ReportClusterStatusResponse> reportClusterStatus(
        org.project_planton.cluster.v1.ReportClusterStatusRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getReportClusterStatusMethod(), getCallOptions()), request);
    }
  }

  private static final int METHODID_CREATE_CLUSTER = 0;
  private static final int METHODID_LIST_CLUSTERS = 1;
  private static final int METHODID_GET_CLUSTER = 2;
  private static final int METHODID_UPDATE_CLUSTER = 3;
  private static final int METHODID_DELETE_CLUSTER = 4;
  private static final int METHODID_GET_CLUSTER_STATUS = 5;
  private static final int METHODID_REPORT_CLUSTER_STATUS = 6;

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
        case METHODID_CREATE_CLUSTER:
          serviceImpl.createCluster((org.project_planton.cluster.v1.CreateClusterRequest) request,
              (io.grpc.stub.StreamObserver<org.project_planton.cluster.v1.CreateClusterResponse>) responseObserver);
          break;
        case METHODID_LIST_CLUSTERS:
          serviceImpl.listClusters((org.project_planton.cluster.v1.ListClustersRequest) request,
              (io.grpc.stub.StreamObserver<org.project_planton.cluster.v1.ListClustersResponse>) responseObserver);
          break;
        case METHODID_GET_CLUSTER:
          serviceImpl.getCluster((org.project_planton.cluster.v1.GetClusterRequest) request,
              (io.grpc.stub.StreamObserver<org.project_planton.cluster.v1.GetClusterResponse>) responseObserver);
          break;
        case METHODID_UPDATE_CLUSTER:
          serviceImpl.updateCluster((org.project_planton.cluster.v1.UpdateClusterRequest) request,
              (io.grpc.stub.StreamObserver<org.project_planton.cluster.v1.UpdateClusterResponse>) responseObserver);
          break;
        case METHODID_DELETE_CLUSTER:
          serviceImpl.deleteCluster((org.project_planton.cluster.v1.DeleteClusterRequest) request,
              (io.grpc.stub.StreamObserver<org.project_planton.cluster.v1.DeleteClusterResponse>) responseObserver);
          break;
        case METHODID_GET_CLUSTER_STATUS:
          serviceImpl.getClusterStatus((org.project_planton.cluster.v1.GetClusterStatusRequest) request,
              (io.grpc.stub.StreamObserver<org.project_planton.cluster.v1.GetClusterStatusResponse>) responseObserver);
          break;
        case METHODID_REPORT_CLUSTER_STATUS:
          serviceImpl.reportClusterStatus((org.project_planton.cluster.v1.ReportClusterStatusRequest) request,
              (io.grpc.stub.StreamObserver<org.project_planton.cluster.v1.ReportClusterStatusResponse>) responseObserver);
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
          getCreateClusterMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              org.project_planton.cluster.v1.CreateClusterRequest,
              org.project_planton.cluster.v1.CreateClusterResponse>(
                service, METHODID_CREATE_CLUSTER)))
        .addMethod(
          getListClustersMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              org.project_planton.cluster.v1.ListClustersRequest,
              org.project_planton.cluster.v1.ListClustersResponse>(
                service, METHODID_LIST_CLUSTERS)))
        .addMethod(
          getGetClusterMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              org.project_planton.cluster.v1.GetClusterRequest,
              org.project_planton.cluster.v1.GetClusterResponse>(
                service, METHODID_GET_CLUSTER)))
        .addMethod(
          getUpdateClusterMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              org.project_planton.cluster.v1.UpdateClusterRequest,
              org.project_planton.cluster.v1.UpdateClusterResponse>(
                service, METHODID_UPDATE_CLUSTER)))
        .addMethod(
          getDeleteClusterMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              org.project_planton.cluster.v1.DeleteClusterRequest,
              org.project_planton.cluster.v1.DeleteClusterResponse>(
                service, METHODID_DELETE_CLUSTER)))
        .addMethod(
          getGetClusterStatusMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              org.project_planton.cluster.v1.GetClusterStatusRequest,
              org.project_planton.cluster.v1.GetClusterStatusResponse>(
                service, METHODID_GET_CLUSTER_STATUS)))
        .addMethod(
          getReportClusterStatusMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              org.project_planton.cluster.v1.ReportClusterStatusRequest,
              org.project_planton.cluster.v1.ReportClusterStatusResponse>(
                service, METHODID_REPORT_CLUSTER_STATUS)))
        .build();
  }

  private static abstract class ClusterServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoFileDescriptorSupplier, io.grpc.protobuf.ProtoServiceDescriptorSupplier {
    ClusterServiceBaseDescriptorSupplier() {}

    @java.lang.Override
    public com.google.protobuf.Descriptors.FileDescriptor getFileDescriptor() {
      return org.project_planton.cluster.v1.ServiceProto.getDescriptor();
    }

    @java.lang.Override
    public com.google.protobuf.Descriptors.ServiceDescriptor getServiceDescriptor() {
      return getFileDescriptor().findServiceByName("ClusterService");
    }
  }

  private static final class ClusterServiceFileDescriptorSupplier
      extends ClusterServiceBaseDescriptorSupplier {
    ClusterServiceFileDescriptorSupplier() {}
  }

  private static final class ClusterServiceMethodDescriptorSupplier
      extends ClusterServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoMethodDescriptorSupplier {
    private final java.lang.String methodName;

    ClusterServiceMethodDescriptorSupplier(java.lang.String methodName) {
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
      synchronized (ClusterServiceGrpc.class) {
        result = serviceDescriptor;
        if (result == null) {
          serviceDescriptor = result = io.grpc.ServiceDescriptor.newBuilder(SERVICE_NAME)
              .setSchemaDescriptor(new ClusterServiceFileDescriptorSupplier())
              .addMethod(getCreateClusterMethod())
              .addMethod(getListClustersMethod())
              .addMethod(getGetClusterMethod())
              .addMethod(getUpdateClusterMethod())
              .addMethod(getDeleteClusterMethod())
              .addMethod(getGetClusterStatusMethod())
              .addMethod(getReportClusterStatusMethod())
              .build();
        }
      }
    }
    return result;
  }
}
