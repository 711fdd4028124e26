"""Where every name of Covalent is here: the one table behind `import covalent`.

A module path of Covalent maps to its names, each written `module:attribute`; the name `*` stands for every other name
and names the module that answers for it. Nothing is imported before a name is asked for, so a name whose home needs an
optional package costs nothing until it is used.
"""

from collections.abc import Mapping

__all__ = ["TABLE"]


def _of(module: str, names: str) -> dict[str, str]:
    return {name: f"{module}:{name}" for name in names.split()}


_LAB = "covalent_lab"
_DEPS = "covalent_lab.workflow.deps"
_MANIFEST = "covalent_lab.client.manifest_model"
_FILES = "File Folder FileTransfer TransferFromRemote TransferToRemote"

TABLE: Mapping[str, Mapping[str, str]] = {
    "covalent": {"*": _LAB, **_of(_LAB, "__version__")},
    "covalent.executor": {"*": "covalent_lab.executor"},
    "covalent.executor.base": {
        **_of("covalent_lab.executor", "BaseExecutor AsyncBaseExecutor"),
        **_of("covalent_lab.executor.task", "wrapper_fn"),
    },
    "covalent.executor.executor_plugins": {},
    "covalent.executor.executor_plugins.local": _of("covalent_lab.executor", "LocalExecutor"),
    "covalent.executor.executor_plugins.dask": _of("covalent_lab.executor", "DaskExecutor"),
    "covalent.executor.executor_plugins.remote_executor": _of("covalent_lab.executor", "RemoteExecutor"),
    "covalent.executor.utils": {},
    "covalent.executor.utils.wrappers": {
        **_of("covalent_lab.executor.task", "wrapper_fn io_wrapper"),
        **_of("covalent_lab.executor.task_group", "run_task_group"),
    },
    "covalent.executor.schemas": _of("covalent_lab.executor.managed", "TaskSpec TaskGroup TaskUpdate ResourceMap"),
    "covalent.fs": {"*": "covalent_lab.fs"},
    "covalent.fs_strategies": {"*": "covalent_lab.fs_strategies"},
    "covalent.fs_strategies.shutil_strategy": {"*": "covalent_lab.fs_strategies.shutil_strategy"},
    "covalent.leptons": {"*": "covalent_lab.leptons"},
    "covalent.triggers": {"*": "covalent_lab.triggers"},
    "covalent.cloud_resource_manager": {},
    "covalent.cloud_resource_manager.core": {"*": "covalent_lab.cloud"},
    "covalent._api": {},
    "covalent._api.apiclient": _of("covalent_lab.compat.apiclient", "CovalentAPIClient"),
    "covalent._dispatcher_plugins": _of("covalent_lab.client.dispatchers", "BaseDispatcher DispatcherPlugin"),
    "covalent._dispatcher_plugins.local": _of("covalent_lab.client.dispatchers", "LocalDispatcher"),
    "covalent._file_transfer": _of("covalent_lab.fs", f"{_FILES} Order FileTransferStrategy"),
    "covalent._file_transfer.enums": _of("covalent_lab.fs", "Order FileSchemes FtCallDepReturnValue"),
    "covalent._file_transfer.file": _of("covalent_lab.fs", "File"),
    "covalent._file_transfer.folder": _of("covalent_lab.fs", "Folder"),
    "covalent._file_transfer.file_transfer": _of(
        "covalent_lab.fs", "FileTransfer TransferFromRemote TransferToRemote File Order"
    ),
    "covalent._file_transfer.strategies": {},
    "covalent._file_transfer.strategies.transfer_strategy_base": _of("covalent_lab.fs", "FileTransferStrategy"),
    "covalent._file_transfer.strategies.shutil_strategy": _of("covalent_lab.fs_strategies", "Shutil"),
    "covalent._file_transfer.strategies.rsync_strategy": {
        **_of("covalent_lab.fs_strategies", "Rsync"),
        **_of("covalent_lab.files.strategies.rsync_strategy", "Popen CalledProcessError PIPE"),
    },
    "covalent._file_transfer.strategies.http_strategy": _of("covalent_lab.fs_strategies", "HTTP"),
    "covalent._file_transfer.strategies.s3_strategy": _of("covalent_lab.fs_strategies", "S3"),
    "covalent._file_transfer.strategies.gcloud_strategy": _of("covalent_lab.fs_strategies", "GCloud"),
    "covalent._file_transfer.strategies.azure_blob_strategy": _of("covalent_lab.fs_strategies", "Blob"),
    "covalent._results_manager": _of(_LAB, "Result"),
    "covalent._results_manager.result": _of(_LAB, "Result"),
    "covalent._results_manager.results_manager": {
        **_of(_LAB, "get_result cancel get_result_manager ResultManager"),
        **_of("covalent_lab.client.assets", "_delete_result"),
    },
    "covalent._serialize": {},
    "covalent._serialize.result": _of("covalent_lab.client.serialized", "serialize_result deserialize_result"),
    "covalent._shared_files": _of("covalent_lab.errors", "TaskRuntimeError TaskCancelledError"),
    "covalent._shared_files.config": {
        **_of(_LAB, "get_config set_config reload_config"),
        **_of("covalent_lab.compat.configuration", "update_config ConfigManager"),
    },
    "covalent._shared_files.context_managers": _of(
        "covalent_lab.compat.activity", "active_lattice_manager active_dispatch_info_manager"
    ),
    "covalent._shared_files.exceptions": _of(
        "covalent_lab.errors", "MissingLatticeRecordError TaskRuntimeError TaskCancelledError CommandNotFoundError"
    ),
    "covalent._shared_files.logger": _of("covalent_lab.compat.logger", "app_log log_stack_info"),
    "covalent._shared_files.schemas": {},
    "covalent._shared_files.schemas.asset": _of(_MANIFEST, "AssetSchema"),
    "covalent._shared_files.schemas.dispatch": _of(_MANIFEST, "BulkDispatchGetSchema DispatchSummary"),
    "covalent._shared_files.schemas.edge": _of(_MANIFEST, "EdgeMetadata EdgeSchema"),
    "covalent._shared_files.schemas.electron": _of(_MANIFEST, "ElectronAssets ElectronMetadata ElectronSchema"),
    "covalent._shared_files.schemas.lattice": _of(_MANIFEST, "LatticeAssets LatticeMetadata LatticeSchema"),
    "covalent._shared_files.schemas.result": _of(_MANIFEST, "ResultAssets ResultMetadata ResultSchema"),
    "covalent._shared_files.schemas.transport_graph": _of(_MANIFEST, "TransportGraphSchema"),
    "covalent._shared_files.util_classes": {
        **_of(_LAB, "Status"),
        "RESULT_STATUS": "covalent_lab:Status",
        **_of("covalent_lab.executor.classic_base", "DispatchInfo"),
    },
    "covalent._shared_files.utils": _of(
        "covalent_lab.compat.plugin_functions",
        "get_serialized_function_str get_named_params format_server_url get_timedelta",
    ),
    "covalent._workflow": _of(
        _LAB, "DepsBash DepsCall DepsModule DepsPip Electron Lattice Lepton TransportableObject electron lattice wait"
    ),
    "covalent._workflow.deps": _of(f"{_DEPS}.deps", "Deps"),
    "covalent._workflow.depsbash": _of(_LAB, "DepsBash"),
    "covalent._workflow.depscall": _of(_LAB, "DepsCall"),
    "covalent._workflow.depsmodule": _of(_LAB, "DepsModule"),
    "covalent._workflow.depspip": _of(_LAB, "DepsPip"),
    "covalent._workflow.electron": _of(_LAB, "Electron electron wait"),
    "covalent._workflow.lattice": _of(_LAB, "Lattice lattice"),
    "covalent._workflow.lepton": _of(_LAB, "Lepton"),
    "covalent._workflow.postprocessing": _of("covalent_lab.compat.postprocessing", "Postprocessor"),
    "covalent._workflow.transport": {
        **_of("covalent_lab.workflow.transport_graph", "_TransportGraph"),
        **_of("covalent_lab.workflow.options", "encode_metadata"),
        **_of(_LAB, "TransportableObject"),
    },
    "covalent._workflow.transportable_object": _of(_LAB, "TransportableObject"),
    "covalent_aws_plugins": _of("covalent_lab.executor", "AWSExecutor"),
    "covalent_awsbatch_plugin": _of("covalent_lab.executor", "AWSBatchExecutor"),
    "covalent_awsbatch_plugin.awsbatch": _of("covalent_lab.executor", "AWSBatchExecutor"),
    "covalent_awslambda_plugin": _of("covalent_lab.executor", "AWSLambdaExecutor"),
    "covalent_braket_plugin": {},
    "covalent_braket_plugin.braket": _of("covalent_lab.executor", "BraketExecutor"),
    "covalent_slurm_plugin": _of("covalent_lab.executor", "SlurmExecutor"),
    "covalent_dispatcher": {},
    "covalent_dispatcher._cli": {"*": "covalent_lab.cli.commands", "cli": "covalent_lab.cli.commands:_commands"},
}
