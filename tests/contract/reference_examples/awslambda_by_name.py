import covalent as ct

@ct.electron(executor="awslambda")
def task(x, y):
    return x + y
