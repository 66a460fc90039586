//! One whole process as a sans-IO machine
