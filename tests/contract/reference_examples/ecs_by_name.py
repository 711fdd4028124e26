import covalent as ct

@ct.electron(executor="ecs")
def task(x, y):
    return x + y
