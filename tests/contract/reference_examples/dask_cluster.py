from dask.distributed import LocalCluster

cluster = LocalCluster()
print(cluster.scheduler_address)

