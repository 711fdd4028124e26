BEGIN TRANSACTION;
CREATE TABLE alembic_version (version_num varchar(32) not null primary key);
INSERT INTO "alembic_version" VALUES('0005');
CREATE TABLE cached_result (
	"key" VARCHAR(64) NOT NULL, 
	dispatch_id VARCHAR(64) NOT NULL, 
	node_id INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	digest VARCHAR(64) NOT NULL, 
	size INTEGER NOT NULL, 
	created_at FLOAT NOT NULL, 
	used_at FLOAT NOT NULL, 
	hits INTEGER NOT NULL, 
	PRIMARY KEY ("key")
);
CREATE TABLE dispatch (
	"key" INTEGER NOT NULL, 
	id VARCHAR(64) NOT NULL, 
	root_id VARCHAR(64) NOT NULL, 
	name TEXT NOT NULL, 
	state VARCHAR(32) NOT NULL, 
	error TEXT NOT NULL, 
	created_at FLOAT NOT NULL, 
	started_at FLOAT, 
	ended_at FLOAT, 
	total INTEGER NOT NULL, 
	completed INTEGER NOT NULL, 
	failed INTEGER NOT NULL, 
	cancelled INTEGER NOT NULL, 
	inputs_digest VARCHAR(64), 
	inputs_size INTEGER, 
	lattice_digest VARCHAR(64), 
	lattice_size INTEGER, 
	result_digest VARCHAR(64), 
	result_size INTEGER, 
	autostart BOOLEAN NOT NULL, 
	cancel_requested TEXT NOT NULL, 
	owner VARCHAR(128) NOT NULL, 
	lease_until FLOAT NOT NULL, 
	metadata TEXT NOT NULL, 
	client TEXT NOT NULL, 
	doc TEXT NOT NULL, 
	source TEXT NOT NULL, 
	parent_id VARCHAR(64), 
	parent_node INTEGER, 
	redispatched_from VARCHAR(64), 
	PRIMARY KEY ("key"), 
	UNIQUE (id)
);
INSERT INTO "dispatch" VALUES(1,'old','old','sweep','COMPLETED','',10.0,1.0,2.0,3,3,0,0,NULL,NULL,NULL,NULL,NULL,NULL,1,'','me',100.0,'{"executor": "local", "hooks": {}}','{"python_version": "3.11.4"}','What it does.','def sweep(): …',NULL,NULL,NULL);
INSERT INTO "dispatch" VALUES(2,'unfinished','unfinished','sweep','NEW_OBJECT','',10.0,NULL,NULL,3,0,0,0,NULL,NULL,NULL,NULL,NULL,NULL,1,'','me',100.0,'{"executor": "local", "hooks": {}}','{"python_version": "3.11.4"}','What it does.','def sweep(): …',NULL,NULL,NULL);
CREATE TABLE graph (
	dispatch_key INTEGER NOT NULL, 
	data BLOB NOT NULL, 
	PRIMARY KEY (dispatch_key)
);
INSERT INTO "graph" VALUES(1,X'7B2276657273696F6E223A20312C20226E616D65223A2022C3A9227D');
INSERT INTO "graph" VALUES(2,X'7B2276657273696F6E223A20312C20226E616D65223A2022C3A9227D');
CREATE TABLE node (
	dispatch_id VARCHAR(64) NOT NULL, 
	node_id INTEGER NOT NULL, 
	state VARCHAR(32) NOT NULL, 
	attempt INTEGER NOT NULL, 
	started_at FLOAT, 
	ended_at FLOAT, 
	output_digest VARCHAR(64), 
	output_size INTEGER, 
	error TEXT NOT NULL, 
	handle TEXT NOT NULL, 
	stdout TEXT, 
	stderr TEXT, 
	traceback TEXT, 
	sub_dispatch_id VARCHAR(64), 
	reused_from VARCHAR(96), 
	usage TEXT, 
	PRIMARY KEY (dispatch_id, node_id)
);
INSERT INTO "node" VALUES('old',2,'COMPLETED',1,1.0,2.0,NULL,NULL,'','{}',NULL,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE payload (
	"key" INTEGER NOT NULL, 
	dispatch_id VARCHAR(64) NOT NULL, 
	digest VARCHAR(64) NOT NULL, 
	size INTEGER NOT NULL, 
	data BLOB, 
	PRIMARY KEY ("key"), 
	CONSTRAINT payload_once UNIQUE (dispatch_id, digest)
);
CREATE TABLE sequence (
	name VARCHAR(32) NOT NULL, 
	value INTEGER NOT NULL, 
	PRIMARY KEY (name)
);
INSERT INTO "sequence" VALUES('transition',2);
CREATE TABLE transition (
	seq INTEGER NOT NULL, 
	dispatch_id VARCHAR(64) NOT NULL, 
	node_id INTEGER, 
	status VARCHAR(32) NOT NULL, 
	attempt INTEGER NOT NULL, 
	at FLOAT NOT NULL, 
	error TEXT NOT NULL, 
	extra TEXT, 
	PRIMARY KEY (seq)
);
INSERT INTO "transition" VALUES(1,'old',NULL,'NEW_OBJECT',0,10.0,'','{"name": "sweep", "total": 3, "root_dispatch_id": "old"}');
INSERT INTO "transition" VALUES(2,'unfinished',NULL,'NEW_OBJECT',0,10.0,'','{"name": "sweep", "total": 3, "root_dispatch_id": "unfinished"}');
CREATE INDEX dispatch_by_created ON dispatch (root_id, created_at);
CREATE INDEX dispatch_by_state ON dispatch (state);
CREATE INDEX transition_by_dispatch ON transition (dispatch_id);
CREATE INDEX payload_file_by_digest ON payload (digest) WHERE data is null;
CREATE INDEX cached_result_by_use ON cached_result (used_at);
COMMIT;
