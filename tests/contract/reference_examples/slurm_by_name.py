import covalent as ct

@ct.electron(executor="slurm")
def my_task(x, y):
    return x + y
