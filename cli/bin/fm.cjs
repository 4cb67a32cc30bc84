#!/usr/bin/env node
require('../fm.cjs');
